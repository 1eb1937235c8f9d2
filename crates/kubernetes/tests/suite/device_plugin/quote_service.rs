//! The quote service's condition, Events, and the label of nodes with SGX.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use kubernetes::device_plugin::{
    Epc, Options, QUOTE_SERVICE_CONDITION, SGX_NODE_LABEL, ServiceProblem,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::{eventually, stays};
use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{MIB, Node};
use crate::device_plugin::plugin::Plugin;

/// A quote service that works or not.
#[derive(Clone, Default)]
struct Service {
    fails: Arc<AtomicBool>,
    /// The number of tests.
    tests: Arc<AtomicU32>,
    /// Tests do not end.
    hangs: Arc<AtomicBool>,
}

impl Service {
    fn fails(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn tests(&self) -> u32 {
        self.tests.load(Ordering::SeqCst)
    }

    /// A plugin's options with the test of this service.
    fn options(&self, node: &Node, api_server: &ApiServer) -> Options {
        let service = self.clone();
        let probe = move || {
            while service.hangs.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            service.tests.fetch_add(1, Ordering::SeqCst);
            let message = "no such file".to_owned();
            match service.fails.load(Ordering::SeqCst) {
                true => Err(ServiceProblem { reason: "NotRunning", message }),
                false => Ok(()),
            }
        };
        Options { quote_service: Some(Arc::new(probe)), ..without_service(node, api_server) }
    }
}

fn without_service(node: &Node, api_server: &ApiServer) -> Options {
    let options = node.options("intel", Epc::of_size(8 * MIB));
    Options { node_status: Some(api_server.node_status()), ..options }
}

fn condition(api_server: &ApiServer) -> Value {
    api_server.condition(QUOTE_SERVICE_CONDITION)
}

async fn becomes(api_server: &ApiServer, status: &str, reason: &str) {
    eventually(&format!("the condition is {status}, {reason}"), async || {
        let condition = condition(api_server);
        condition["status"] == status && condition["reason"] == reason
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_condition_and_events_follow_the_service() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    api_server.set_condition(&json!({ "type": "Ready", "status": "True" }));
    let _plugin = Plugin::start(&node, service.options(&node, &api_server)).await;
    becomes(&api_server, "True", "MakesQuotes").await;
    service.fails(true);
    becomes(&api_server, "False", "NotRunning").await;
    assert_eq!(condition(&api_server)["message"], "no such file");
    service.fails(false);
    becomes(&api_server, "True", "MakesQuotes").await;
    let reasons = ["QuoteServiceReady", "QuoteServiceNotReady", "QuoteServiceReady"];
    eventually("an Event of each change", async || api_server.events() == reasons).await;
    assert_eq!(api_server.condition("Ready")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn a_single_failure_is_not_reported() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _plugin = Plugin::start(&node, service.options(&node, &api_server)).await;
    becomes(&api_server, "True", "MakesQuotes").await;
    let before = service.tests();
    service.fails(true);
    eventually("a test has failed", async || service.tests() > before).await;
    service.fails(false);
    let is_ready = async || condition(&api_server)["status"] == "True";
    stays(Duration::from_secs(60), "the condition is True", is_ready).await;
    assert_eq!(api_server.events(), ["QuoteServiceReady"]);
}

#[tokio::test(start_paused = true)]
async fn the_condition_is_written_again_every_five_minutes() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _plugin = Plugin::start(&node, service.options(&node, &api_server)).await;
    becomes(&api_server, "True", "MakesQuotes").await;
    let since = condition(&api_server)["lastTransitionTime"].clone();
    let written = || {
        let patches = api_server.patches();
        patches.iter().filter(|patch| !patch["status"]["conditions"].is_null()).count()
    };
    for minutes in [4, 6, 11] {
        sleep(Duration::from_secs(if minutes == 4 { 240 } else { 310 })).await;
        let expected = 1 + minutes / 5;
        eventually("heartbeats", async || written() == expected).await;
    }
    assert_eq!(condition(&api_server)["lastTransitionTime"], since);
    assert_eq!(api_server.events(), ["QuoteServiceReady"]);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_stops_leaves_the_condition_unknown() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let plugin = Plugin::start(&node, service.options(&node, &api_server)).await;
    becomes(&api_server, "True", "MakesQuotes").await;
    plugin.stop().await;
    becomes(&api_server, "Unknown", "DevicePluginStopped").await;
    assert_eq!(api_server.events(), ["QuoteServiceReady"]);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_stops_leaves_the_condition_to_its_successor() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let plugin = Plugin::start(&node, service.options(&node, &api_server)).await;
    becomes(&api_server, "True", "MakesQuotes").await;
    let mut written = condition(&api_server);
    written["lastHeartbeatTime"] = json!("2030-01-01T00:00:00Z");
    api_server.set_condition(&written);
    plugin.stop().await;
    assert_eq!(condition(&api_server), written);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_without_a_service_removes_the_condition() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    api_server.set_condition(&json!({ "type": QUOTE_SERVICE_CONDITION, "status": "True" }));
    let _plugin = Plugin::start(&node, without_service(&node, &api_server)).await;
    eventually("there is no condition", async || condition(&api_server).is_null()).await;
    eventually("the label stays", async || api_server.label(SGX_NODE_LABEL).is_some()).await;
}

#[tokio::test]
async fn a_service_that_hangs_delays_nothing_else() {
    let (node, service) = (Node::new(), Service::default());
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let _kubelet = Kubelet::start(&node);
    service.hangs.store(true, Ordering::SeqCst);
    let _plugin = Plugin::start_ready(&node, service.options(&node, &api_server)).await;
    eventually("EPC is allocatable", async || {
        api_server.allocatable("sgx.intel.com/epc").as_deref() == Some("8388608")
    })
    .await;
    assert_eq!(condition(&api_server), Value::Null);
    service.hangs.store(false, Ordering::SeqCst);
    becomes(&api_server, "True", "MakesQuotes").await;
}

#[tokio::test(start_paused = true)]
async fn nodes_with_sgx_are_labelled() {
    for (present, has_device_nodes, expected) in
        [(None, true, Some("true")), (Some("false"), true, Some("false")), (None, false, None)]
    {
        let node = Node::new();
        let api_server = ApiServer::start(Behaviour::Accepts).await;
        if let Some(value) = present {
            api_server.set_label(SGX_NODE_LABEL, value);
        }
        let mut options = without_service(&node, &api_server);
        options.offer.has_device_nodes = has_device_nodes;
        let _plugin = Plugin::start(&node, options).await;
        let is_set = async || api_server.capacity("sgx.intel.com/epc").is_some();
        eventually("EPC is in the node's status", is_set).await;
        eventually("the label", async || api_server.label(SGX_NODE_LABEL).as_deref() == expected)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_without_epc_loses_label_and_condition() {
    let node = Node::new();
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    {
        let _plugin = Plugin::start(&node, without_service(&node, &api_server)).await;
        eventually("the label", async || api_server.label(SGX_NODE_LABEL).is_some()).await;
    }
    api_server.set_condition(&json!({ "type": QUOTE_SERVICE_CONDITION, "status": "True" }));
    let none = Options { epc: Epc::of_size(0), ..without_service(&node, &api_server) };
    let _plugin = Plugin::start(&node, none).await;
    eventually("there is no trace", async || {
        condition(&api_server).is_null() && api_server.label(SGX_NODE_LABEL).is_none()
    })
    .await;
}
