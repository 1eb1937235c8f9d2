//! Registration with restarting kubelets.

use std::fs;
use std::time::Duration;

use crate::clock::{stays, within};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::metrics::outcome;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_comes_late_is_registered_with() {
    let node = Node::new();
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("cannot reach the kubelet").await;
    assert!(node.plugin_dir_content().is_empty());
    let kubelet = Kubelet::start(&node);
    kubelet.offers_within(Duration::from_secs(1), AZURE, 8).await;
    plugin.is_ready().await;
    assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn the_plugin_registers_with_a_restarted_kubelet() {
    let (_node, mut kubelet, plugin) = Plugin::on_node().await;
    kubelet.start_container(AZURE, 2).await.unwrap();
    for restarts in 1..=3 {
        kubelet.restart();
        assert_eq!(kubelet.allocatable(AZURE), 0);
        kubelet.offers_within(Duration::from_secs(2), AZURE, 8).await;
        kubelet.offers_within(Duration::from_secs(2), PROVISION, 1).await;
        assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(restarts));
        assert_eq!(kubelet.registrations_of(AZURE) as u64, restarts + 1);
    }
    let container = kubelet.start_container(AZURE, 1).await.unwrap();
    assert_eq!(container.devices.len(), 2);
    assert_eq!(kubelet.allocated()[AZURE], ["AAA", "AAB", "AAC"]);
}

#[tokio::test(start_paused = true)]
async fn a_temporarily_missing_kubelet_is_awaited() {
    for away in [1, 20] {
        let node = Node::new();
        let mut kubelet = Kubelet::start(&node);
        let plugin = Plugin::start_ready(&node, node.azure()).await;
        kubelet.stop();
        tokio::time::sleep(Duration::from_secs(away)).await;
        kubelet.restart();
        kubelet.offers_within(Duration::from_secs(6), AZURE, 8).await;
        plugin.is_ready().await;
        assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(1), "{away} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_kubelet_is_reported() {
    let (_node, kubelet, plugin) = Plugin::on_node().await;
    kubelet.stop();
    plugin.has_problem("cannot reach the kubelet").await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_socket_is_recreated_and_registered() {
    let (node, kubelet, plugin) = Plugin::on_node().await;
    for resource in [AZURE, PROVISION] {
        let before = kubelet.registrations_of(resource);
        fs::remove_file(node.socket(resource)).unwrap();
        let registered = async || kubelet.registrations_of(resource) > before;
        within(Duration::from_secs(2), "registered again", registered).await;
        kubelet.offers_within(Duration::from_secs(1), AZURE, 8).await;
        kubelet.offers_within(Duration::from_secs(1), PROVISION, 1).await;
    }
    assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_retried() {
    let (node, kubelet) = Kubelet::on_node();
    kubelet.refuse(Some("too busy for this"));
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("too busy for this").await;
    assert!(plugin.problems().contains(AZURE), "{}", plugin.problems());
    let few = async || kubelet.registrations().len() <= 8;
    stays(Duration::from_secs(30), "the kubelet is not flooded", few).await;
    assert_eq!(plugin.metric(&outcome("registrations", AZURE, "Ok")).await, None);
    let refused = plugin.metric(&outcome("registrations", AZURE, "Unknown")).await.unwrap();
    assert_eq!(refused, kubelet.registrations().len() as u64);
    kubelet.refuse(None);
    kubelet.offers_within(Duration::from_secs(6), AZURE, 8).await;
    plugin.is_ready().await;
    assert_eq!(plugin.metric(&outcome("registrations", AZURE, "Ok")).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_does_not_answer_is_asked_again() {
    let (node, kubelet) = Kubelet::on_node();
    kubelet.be_stuck(true);
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("the kubelet rejected the registration").await;
    kubelet.be_stuck(false);
    kubelet.offers_within(Duration::from_secs(6), AZURE, 8).await;
    plugin.is_ready().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_device_list_is_sent_again() {
    let (_node, kubelet, plugin) = Plugin::on_node().await;
    kubelet.drop_list(AZURE);
    assert_eq!(kubelet.allocatable(AZURE), 0);
    kubelet.offers(AZURE, 8).await;
    kubelet.offers(PROVISION, 1).await;
    plugin.is_ready().await;
    assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn the_plugin_directory_may_come_later() {
    let node = Node::new();
    fs::remove_dir(node.plugin_dir()).unwrap();
    fs::write(node.plugin_dir(), "a file").unwrap();
    let plugin = Plugin::start(&node, node.azure()).await;
    plugin.has_problem("Not a directory").await;
    fs::remove_file(node.plugin_dir()).unwrap();
    plugin.has_problem("No such file or directory").await;
    fs::create_dir(node.plugin_dir()).unwrap();
    let kubelet = Kubelet::start(&node);
    kubelet.offers(AZURE, 8).await;
    plugin.is_ready().await;
}

#[tokio::test(start_paused = true)]
async fn the_plugin_directory_may_be_replaced() {
    let (node, mut kubelet, plugin) = Plugin::on_node().await;
    fs::rename(node.plugin_dir(), node.path("former")).unwrap();
    plugin.has_problem("cannot reach the kubelet").await;
    fs::create_dir(node.plugin_dir()).unwrap();
    kubelet.restart();
    kubelet.offers(AZURE, 8).await;
    plugin.is_ready().await;
}
