//! Two plugins on one node, as during an update.

use std::time::Duration;

use crate::clock::{eventually, settles, stays};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::metrics::outcome;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

/// The maximum time without EPC.
const SOON: Duration = Duration::from_secs(4);

/// A plugin, and a newer one beside it.
async fn two(node: &Node, kubelet: &Kubelet) -> (Plugin, Plugin) {
    let older = Plugin::start_ready(node, node.azure()).await;
    kubelet.offers(AZURE, 8).await;
    let newer = Plugin::start_ready(node, node.azure()).await;
    let both_are_ready = async || {
        kubelet.allocatable(AZURE) == 8
            && kubelet.allocatable(PROVISION) == 1
            && newer.problems().is_empty()
            && older.problems().is_empty()
    };
    stays(SOON, "both are ready, so that neither is deleted as broken", both_are_ready).await;
    (older, newer)
}

#[tokio::test(start_paused = true)]
async fn a_newer_plugin_takes_over() {
    let (node, kubelet) = Kubelet::on_node();
    let (_older, newer) = two(&node, &kubelet).await;
    kubelet.start_container(AZURE, 1).await.unwrap();
    let allocations = newer.metric(&outcome("allocations", AZURE, "Ok")).await;
    assert_eq!(allocations, Some(1), "it is the newer that was asked");
}

#[tokio::test(start_paused = true)]
async fn the_older_returns_when_the_newer_ends() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = two(&node, &kubelet).await;
    newer.stop().await;
    older.is_ready().await;
    kubelet.offers_within(SOON, AZURE, 8).await;
    kubelet.offers_within(SOON, PROVISION, 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_older_returns_when_the_newer_is_killed() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = two(&node, &kubelet).await;
    newer.crash(&node, &[AZURE, PROVISION]).await;
    assert!(node.socket(AZURE).exists() && node.socket(PROVISION).exists());
    older.is_ready().await;
    kubelet.offers_within(SOON, AZURE, 8).await;
    kubelet.offers_within(SOON, PROVISION, 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_newer_serves_when_the_older_ends() {
    let (node, kubelet) = Kubelet::on_node();
    let (older, newer) = two(&node, &kubelet).await;
    older.stop().await;
    let settled = async || kubelet.allocatable(AZURE) == 8 && newer.problems().is_empty();
    settles(SOON, "the newer is ready without the older", settled).await;
    assert!(node.socket(AZURE).exists(), "the newer's socket is left alone");
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
async fn two_plugins_serve_after_a_restart_of_the_kubelet() {
    let (node, mut kubelet) = Kubelet::on_node();
    let (one, other) = two(&node, &kubelet).await;
    kubelet.restart();
    settles(2 * SOON, "the resources are there", async || {
        kubelet.allocatable(AZURE) == 8 && kubelet.allocatable(PROVISION) == 1
    })
    .await;
    one.stop().await;
    settles(SOON, "one of them suffices", async || {
        kubelet.allocatable(AZURE) == 8 && other.problems().is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn epc_is_never_away_during_an_update_of_kubernetes_1_36() {
    let (node, kubelet) = Kubelet::of_1_36_on_node();
    let older = Plugin::start_ready(&node, node.azure()).await;
    let there = async || kubelet.allocatable(AZURE) == 8 && kubelet.allocatable(PROVISION) == 1;
    let (newer, ()) = tokio::join!(
        Plugin::start_ready(&node, node.azure()),
        stays(SOON, "EPC is there while the newer starts", there)
    );
    kubelet.start_container(AZURE, 1).await.unwrap();
    let allocations = newer.metric(&outcome("allocations", AZURE, "Ok")).await;
    assert_eq!(allocations, Some(1), "it is the newer that was asked");
    tokio::join!(older.stop(), stays(SOON, "EPC is there when the older ends", there));
    assert_eq!(kubelet.registrations_of(AZURE), 2);
    kubelet.start_container(AZURE, 1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn epc_is_never_away_when_the_newer_fails_on_kubernetes_1_36() {
    let (node, kubelet) = Kubelet::of_1_36_on_node();
    let there = async || kubelet.allocatable(AZURE) == 8 && kubelet.allocatable(PROVISION) == 1;
    let older = Plugin::start_ready(&node, node.azure()).await;
    let killed = Plugin::start_ready(&node, node.azure()).await;
    let crash = killed.crash(&node, &[AZURE, PROVISION]);
    tokio::join!(crash, stays(SOON, "EPC is there when the newer is killed", there));
    let stopped = Plugin::start_ready(&node, node.azure()).await;
    tokio::join!(stopped.stop(), stays(SOON, "EPC is there when the newer ends", there));
    kubelet.start_container(AZURE, 1).await.unwrap();
    let allocations = older.metric(&outcome("allocations", AZURE, "Ok")).await;
    assert_eq!(allocations, Some(1), "it is the older that was asked");
}
