//! Resources in the node's status.

use std::fs;
use std::time::Duration;

use kubernetes::device_plugin::{Epc, EpcAccounting, Options};
use serde_json::json;
use tokio::time::Instant;

use crate::clock::{eventually, stays};
use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{ALIYUN, AZURE, ENCLAVE, INTEL, MIB, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

fn intel(node: &Node, api_server: &ApiServer) -> Options {
    let options = node.options("intel", Epc::of_size(8 * MIB));
    Options { node_status: Some(api_server.node_status()), ..options }
}

async fn becomes(api_server: &ApiServer, resource: &str, quantity: Option<&str>) {
    let what = format!("{resource} is {quantity:?} in the node's status");
    eventually(&what, async || api_server.capacity(resource).as_deref() == quantity).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_device_node_nothing_is_allocated() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, intel(&node, &api_server)).await;
    becomes(&api_server, INTEL, Some("8388608")).await;
    fs::remove_file(node.enclave()).unwrap();
    becomes(&api_server, INTEL, Some("0")).await;
    fs::write(node.enclave(), "").unwrap();
    becomes(&api_server, INTEL, Some("8388608")).await;
}

#[tokio::test(start_paused = true)]
async fn software_epc_needs_no_device_node() {
    let node = Node::new();
    fs::remove_file(node.enclave()).unwrap();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let mut options = intel(&node, &api_server);
    options.offer.has_device_nodes = false;
    let _plugin = Plugin::start(&node, options).await;
    becomes(&api_server, INTEL, Some("8388608")).await;
}

#[tokio::test(start_paused = true)]
async fn external_changes_are_reverted() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _plugin = Plugin::start(&node, intel(&node, &api_server)).await;
    becomes(&api_server, INTEL, Some("8388608")).await;
    api_server.set(INTEL, "0");
    becomes(&api_server, INTEL, Some("8388608")).await;
}

#[tokio::test(start_paused = true)]
async fn leftovers_of_another_profile_are_removed() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    for resource in [AZURE, ALIYUN, INTEL] {
        api_server.set(resource, "4");
    }
    api_server.set("example.com/gpu", "1");
    let mut options = intel(&node, &api_server);
    options.offer.shares = "azure=6MiB,intel".parse().unwrap();
    let _plugin = Plugin::start(&node, options).await;
    becomes(&api_server, INTEL, Some("2097152")).await;
    becomes(&api_server, ALIYUN, None).await;
    becomes(&api_server, AZURE, Some("4")).await;
    becomes(&api_server, "example.com/gpu", Some("1")).await;
    let expected = json!({ ALIYUN: null, INTEL: "2097152" });
    assert_eq!(api_server.patches()[0]["status"]["capacity"], expected);
}

#[tokio::test(start_paused = true)]
async fn profiles_in_mib_can_be_counted_there() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let mut options = intel(&node, &api_server);
    options.offer.shares = "azure=5MiB,aliyun=2MiB,intel".parse().unwrap();
    options.offer.accounting = EpcAccounting::NodeStatus;
    let _plugin = Plugin::start(&node, options).await;
    becomes(&api_server, AZURE, Some("5")).await;
    becomes(&api_server, ALIYUN, Some("2")).await;
    becomes(&api_server, INTEL, Some("1048576")).await;
}

#[tokio::test(start_paused = true)]
async fn the_api_server_is_not_flooded() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _plugin = Plugin::start(&node, intel(&node, &api_server)).await;
    let few = async || api_server.patches().len() <= 7;
    stays(Duration::from_secs(60), "a patch in ten seconds", few).await;
}

#[tokio::test(start_paused = true)]
async fn resources_are_allocatable_before_the_kubelet_reports_them() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    api_server.kubelet_is_away(true);
    let _kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, intel(&node, &api_server)).await;
    for (resource, quantity) in [(INTEL, "8388608"), (ENCLAVE, "110"), (PROVISION, "1")] {
        eventually(resource, async || {
            api_server.allocatable(resource).as_deref() == Some(quantity)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_has_lost_its_state_is_corrected_at_once() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    api_server.kubelet_is_away(true);
    let mut kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, intel(&node, &api_server)).await;
    let begun = Instant::now();
    kubelet.restart();
    api_server.zero();
    for (resource, quantity) in [(INTEL, "8388608"), (ENCLAVE, "110")] {
        eventually(resource, async || {
            api_server.allocatable(resource).as_deref() == Some(quantity)
        })
        .await;
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn resources_that_the_kubelet_counts_in_devices_are_reported() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    api_server.kubelet_is_away(true);
    let checkpoint = node.plugin_dir().join("kubelet_internal_checkpoint");
    fs::write(&checkpoint, r#"{"Data":{"RegisteredDevices":{"sgx.intel.com/epc":[]}}}"#).unwrap();
    let _kubelet = Kubelet::start(&node);
    let plugin = Plugin::start(&node, intel(&node, &api_server)).await;
    plugin
        .has_problem(
            "the kubelet does not allocate sgx.intel.com/epc, since it has counted it in devices",
        )
        .await;
    let not_ready = async || plugin.problems().contains("node status: ");
    stays(Duration::from_secs(30), "the plugin is not ready", not_ready).await;
    assert_eq!(api_server.allocatable(INTEL), None);
    fs::remove_file(checkpoint).unwrap();
    plugin.is_ready().await;
}
