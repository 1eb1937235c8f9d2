//! `/readyz` and `/livez`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use kubernetes::device_plugin::Epc;

use crate::clock::stays;
use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, MIB, Node};
use crate::device_plugin::plugin::Plugin;

#[tokio::test(start_paused = true)]
async fn without_kubelet_the_plugin_is_alive_and_not_ready() {
    let node = Node::new();
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("kubelet").await;
    let (status, body) = plugin.get("/readyz").await;
    assert_eq!(status, 503);
    assert_eq!(
        node.anonymous(&body),
        "kubelet: cannot reach the kubelet at /node/device-plugins/kubelet.sock: No such file or \
         directory (os error 2); waiting for it\n"
    );
    assert_eq!(plugin.get("/livez").await, (200, "alive\n".to_owned()));
    let _kubelet = Kubelet::start(&node);
    plugin.is_ready().await;
    assert_eq!(plugin.get("/readyz").await, (200, "ready\n".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_unwritable_plugin_directory_is_reported() {
    let (node, _kubelet) = Kubelet::on_node();
    // Root may write everywhere, but cannot replace a directory by a file.
    fs::create_dir(node.socket(AZURE)).unwrap();
    fs::set_permissions(node.plugin_dir(), fs::Permissions::from_mode(0o555)).unwrap();
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("cannot listen at").await;
    let (status, body) = plugin.get("/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("the directory must be writable"), "{body}");
    fs::set_permissions(node.plugin_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir(node.socket(AZURE)).unwrap();
    plugin.is_ready().await;
}

#[tokio::test(start_paused = true)]
async fn the_plugin_is_ready_once_the_api_server_has_answered() {
    let (node, _kubelet) = Kubelet::on_node();
    let api_server = ApiServer::start(Behaviour::Hangs).await;
    let mut options = node.options("intel", Epc::of_size(8 * MIB));
    options.node_status = Some(api_server.node_status());
    let plugin = Plugin::start(&node, options).await;
    tokio::task::yield_now().await;
    let not_ready = async || plugin.problems().contains("node status: ");
    stays(Duration::from_secs(20), "the plugin is not ready", not_ready).await;
    plugin.has_problem("the API server does not answer").await;
    assert_eq!(plugin.get("/readyz").await.0, 503);
    api_server.behave(Behaviour::Accepts);
    plugin.is_ready().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_api_server_is_reported() {
    let (node, _kubelet) = Kubelet::on_node();
    let api_server = ApiServer::start(Behaviour::Refuses).await;
    let mut options = node.options("intel", Epc::of_size(8 * MIB));
    options.node_status = Some(api_server.node_status());
    let plugin = Plugin::start(&node, options).await;
    plugin.has_problem("node status: cannot set the status of the node \"node-1\"").await;
    let problems = plugin.problems();
    assert!(problems.contains("the permission to patch nodes/status is needed"), "{problems}");
    assert!(problems.contains("forbidden"), "{problems}");
    api_server.behave(Behaviour::Accepts);
    plugin.is_ready().await;
}
