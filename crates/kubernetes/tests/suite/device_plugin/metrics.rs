//! `/metrics`.

use std::sync::Arc;

use kubernetes::device_plugin::Epc;

use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, ENCLAVE, INTEL, MIB, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;
use crate::device_plugin::pod_resources;

fn of(metric: &str, resource: &str) -> String {
    format!("{metric}{{resource=\"{resource}\"}}")
}

/// The name of a counter of calls by status.
pub(crate) fn outcome(metric: &str, resource: &str, code: &str) -> String {
    format!("{metric}_total{{resource=\"{resource}\",code=\"{code}\"}}")
}

#[tokio::test(start_paused = true)]
async fn offered() {
    let (node, _kubelet) = Kubelet::on_node();
    let mut options = node.options("azure=6MiB,intel", Epc::of_size(8 * MIB));
    options.node_status = Some(ApiServer::start(Behaviour::Accepts).await.node_status());
    let plugin = Plugin::start_ready(&node, options).await;
    assert_eq!(plugin.metric("epc_bytes").await, Some(8 * MIB));
    for (resource, quantity) in [(AZURE, 6), (INTEL, 2 * MIB), (ENCLAVE, 110), (PROVISION, 1)] {
        assert_eq!(plugin.metric(&of("offered", resource)).await, Some(quantity), "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn healthy_resources() {
    let node = Node::new();
    std::fs::remove_file(node.provision()).unwrap();
    let kubelet = Kubelet::start(&node);
    let plugin = Plugin::start_ready(&node, node.azure()).await;
    assert_eq!(plugin.metric(&of("healthy", AZURE)).await, Some(1));
    assert_eq!(plugin.metric(&of("healthy", PROVISION)).await, Some(0));
    std::fs::remove_file(node.enclave()).unwrap();
    kubelet.offers(AZURE, 0).await;
    assert_eq!(plugin.metric(&of("healthy", AZURE)).await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn allocated() {
    let node = Node::new();
    let kubelet = Arc::new(Kubelet::start(&node));
    pod_resources::serve(&node.pod_resources(), &kubelet);
    let plugin = Plugin::start_ready(&node, node.azure()).await;
    kubelet.start_container(AZURE, 3).await.unwrap();
    kubelet.start_container(AZURE, 2).await.unwrap();
    kubelet.start_container(PROVISION, 1).await.unwrap();
    assert_eq!(plugin.metric(&of("allocated", AZURE)).await, Some(5));
    assert_eq!(plugin.metric(&of("allocated", PROVISION)).await, Some(1));
    assert_eq!(
        plugin.metric(&of("allocated", "example.com/gpu")).await,
        None,
        "it is of another plugin"
    );
    std::fs::remove_file(node.pod_resources()).unwrap();
    assert_eq!(plugin.metric(&of("allocated", AZURE)).await, None, "the socket is gone");
    assert_eq!(plugin.metric(&of("offered", AZURE)).await, Some(8));
}

#[tokio::test(start_paused = true)]
async fn requests_and_responses() {
    let (node, kubelet, plugin) = Plugin::on_node().await;
    kubelet.start_container(AZURE, 1).await.unwrap();
    kubelet.start_container(AZURE, 1).await.unwrap();
    kubelet.allocate(AZURE, &[&["nobody"]]).await.unwrap_err();
    std::fs::remove_file(node.enclave()).unwrap();
    kubelet.allocate(AZURE, &[&["AAA"]]).await.unwrap_err();
    for (code, times) in [("Ok", 2), ("InvalidArgument", 1), ("FailedPrecondition", 1)] {
        let name = outcome("allocations", AZURE, code);
        assert_eq!(plugin.metric(&name).await, Some(times), "{code}");
    }
    for resource in [AZURE, PROVISION] {
        assert_eq!(plugin.metric(&outcome("registrations", resource, "Ok")).await, Some(1));
    }
    assert_eq!(plugin.metric("kubelet_restarts_total").await, Some(0));
    assert!(plugin.get("/metrics").await.1.ends_with("# EOF\n"), "OpenMetrics to its end");
}
