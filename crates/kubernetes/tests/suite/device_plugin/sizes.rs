//! EPC of all sizes.

use std::collections::HashSet;

use kubernetes::device_plugin::{Epc, EpcAccounting};
use prost::Message;

use crate::clock::eventually;
use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, ENCLAVE, GIB, MIB, Node};
use crate::device_plugin::plugin::Plugin;

/// The kubelet's limit for a message, in bytes.
const MAX_MESSAGE: usize = 4 << 20;

/// Checks the number of devices for this EPC, and that their names differ.
async fn check(size: u64, devices: usize) {
    let (node, kubelet) = Kubelet::on_node();
    let _plugin = Plugin::start_ready(&node, node.options("azure", Epc::of_size(size))).await;
    kubelet.offers(AZURE, devices).await;
    let list = kubelet.list(AZURE);
    assert!(list.encoded_len() <= MAX_MESSAGE, "{}", list.encoded_len());
    let names: HashSet<_> = list.devices.iter().map(|device| &device.id).collect();
    assert_eq!(names.len(), devices);
    assert_eq!(kubelet.registrations_of(AZURE), 1, "the kubelet took the first list");
    let last = &list.devices[devices - 1].id;
    kubelet.allocate(AZURE, &[&[last]]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn less_than_a_mib_is_not_offered() {
    check(10 * MIB + MIB / 2, 10).await;
}

#[tokio::test(start_paused = true)]
async fn the_smallest_machines() {
    check(168 * MIB, 168).await;
}

#[tokio::test(start_paused = true)]
async fn a_usual_node() {
    check(8 * GIB, 8192).await;
}

#[tokio::test(start_paused = true)]
async fn the_largest_list_there_is() {
    check(256 * GIB, 262_144).await;
}

#[tokio::test(start_paused = true)]
async fn the_device_list_ends_at_its_maximum() {
    check(300 * GIB, 262_144).await;
}

#[tokio::test(start_paused = true)]
async fn the_largest_list_can_be_unhealthy() {
    let (node, kubelet) = Kubelet::on_node();
    let _plugin = Plugin::start_ready(&node, node.options("azure", Epc::of_size(256 * GIB))).await;
    kubelet.offers(AZURE, 262_144).await;
    std::fs::remove_file(node.enclave()).unwrap();
    kubelet.offers(AZURE, 0).await;
    let list = kubelet.list(AZURE);
    assert_eq!(list.devices.len(), 262_144);
    assert!(
        list.devices.iter().all(|it| it.health != "Healthy"),
        "the kubelet took this list, too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tib_is_offered_in_the_node_status() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let mut options = node.options("azure", Epc::of_size(1024 * GIB));
    options.offer.accounting = EpcAccounting::NodeStatus;
    options.node_status = Some(api_server.node_status());
    let kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, options).await;
    eventually("1,048,576 MiB in the node's status", async || {
        api_server.capacity(AZURE).as_deref() == Some("1048576")
    })
    .await;
    let container = kubelet.start_container(ENCLAVE, 1).await.unwrap();
    assert_eq!(container.devices.len(), 2, "the device node under both names");
}
