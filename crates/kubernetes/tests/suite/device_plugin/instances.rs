//! Two plugins on one node, as during an update.

use std::time::Duration;

use crate::clock::{eventually, settles};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::metrics::outcome;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

/// The maximum time without EPC.
const SOON: Duration = Duration::from_secs(4);

/// A plugin that a newer one has replaced.
///
/// The end of the older list makes the kubelet disconnect the newer one. Containers must get EPC
/// again soon.
async fn replaced(node: &Node, kubelet: &Kubelet) -> (Plugin, Plugin) {
    let older = Plugin::start_ready(node, node.azure()).await;
    kubelet.offers(AZURE, 8).await;
    let newer = Plugin::start(node, node.azure()).await;
    settles(SOON, "the newer serves and the older waits", async || {
        kubelet.allocatable(AZURE) == 8
            && kubelet.allocatable(PROVISION) == 1
            && newer.problems().is_empty()
            && older.problems().contains("another device plugin has replaced the socket")
    })
    .await;
    (older, newer)
}

#[tokio::test(start_paused = true)]
async fn a_newer_plugin_takes_over() {
    let (node, kubelet) = Kubelet::on_node();
    let (_older, newer) = replaced(&node, &kubelet).await;
    kubelet.start_container(AZURE, 1).await.unwrap();
    let allocations = newer.metric(&outcome("allocations", AZURE, "Ok")).await;
    assert_eq!(allocations, Some(1), "it is the newer that was asked");
}

#[tokio::test(start_paused = true)]
async fn the_older_returns_when_the_newer_ends() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = replaced(&node, &kubelet).await;
    newer.stop().await;
    older.is_ready().await;
    kubelet.offers_within(SOON, AZURE, 8).await;
    kubelet.offers_within(SOON, PROVISION, 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_older_returns_when_the_newer_is_killed() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = replaced(&node, &kubelet).await;
    newer.crash(&node, &[AZURE, PROVISION]).await;
    assert!(node.socket(AZURE).exists() && node.socket(PROVISION).exists());
    older.is_ready().await;
    kubelet.offers_within(SOON, AZURE, 8).await;
    kubelet.offers_within(SOON, PROVISION, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_waiting_plugin_stops_immediately() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = replaced(&node, &kubelet).await;
    older.stop().await;
    kubelet.offers(AZURE, 8).await;
    assert!(node.socket(AZURE).exists(), "the newer's socket is left alone");
    assert_eq!(newer.problems(), "");
}

#[tokio::test(start_paused = true)]
async fn stale_sockets_are_replaced() {
    let (node, kubelet) = Kubelet::on_node();
    let former = Plugin::start_ready(&node, node.azure()).await;
    kubelet.start_container(AZURE, 2).await.unwrap();
    former.crash(&node, &[AZURE, PROVISION]).await;
    eventually("the kubelet has noticed", async || kubelet.allocatable(AZURE) == 0).await;
    let _plugin = Plugin::start(&node, node.azure()).await;
    kubelet.offers_within(SOON, AZURE, 8).await;
    assert_eq!(kubelet.allocated()[AZURE].len(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_of_two_plugins_remains_after_a_restart_of_the_kubelet() {
    let (node, mut kubelet) = Kubelet::on_node();
    let (one, other) = replaced(&node, &kubelet).await;
    kubelet.restart();
    settles(2 * SOON, "one serves and the other waits", async || {
        let problems = [one.problems(), other.problems()];
        kubelet.allocatable(AZURE) == 8
            && problems.iter().any(String::is_empty)
            && problems.iter().any(|it| it.contains("another device plugin"))
    })
    .await;
}
