//! The end of a plugin.

use std::fs;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use kubernetes::device_plugin::Epc;

use crate::clock::stays;
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

#[tokio::test(start_paused = true)]
async fn stopping_removes_only_its_sockets() {
    let (node, kubelet) = Kubelet::on_node();
    fs::write(node.plugin_dir().join("DEPRECATION"), "").unwrap();
    let _other = UnixListener::bind(node.plugin_dir().join("other.sock")).unwrap();
    let before = node.plugin_dir_content();
    let plugin = Plugin::start_ready(&node, node.azure()).await;
    assert_eq!(node.plugin_dir_content().len(), before.len() + 4, "two names each");
    plugin.stop().await;
    assert_eq!(node.plugin_dir_content(), before);
    kubelet.offers(AZURE, 0).await;
    kubelet.offers(PROVISION, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_plugin_without_a_kubelet_stops() {
    let node = Node::new();
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("cannot reach the kubelet").await;
    plugin.stop().await;
    assert!(node.plugin_dir_content().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_plugin_whose_registration_is_refused_stops() {
    let (node, kubelet) = Kubelet::on_node();
    kubelet.refuse(Some("not now"));
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("not now").await;
    plugin.stop().await;
    assert_eq!(node.plugin_dir_content(), ["kubelet.sock"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_epc_is_idle_and_ready() {
    let (node, kubelet) = Kubelet::on_node();
    let plugin = Plugin::start(&node, node.options("azure", Epc::of_size(0))).await;
    stays(Duration::from_secs(30), "the plugin is ready", async || plugin.problems().is_empty())
        .await;
    assert!(kubelet.registrations().is_empty());
    assert_eq!(plugin.get("/readyz").await, (200, "ready\n".to_owned()));
    plugin.stop().await;
}
