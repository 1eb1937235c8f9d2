//! Objects of clusters, for tests.

use k8s_openapi::api::core::v1::{Node, Pod};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::facts::Facts;

pub(super) const EPC: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
pub(super) const NAMESPACE: &str = "sgx-quote-helper";

/// The object that JSON says.
#[track_caller]
pub(super) fn typed<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// A node with 64 MiB of EPC.
pub(super) fn node(name: &str) -> Node {
    typed(json!({
        "metadata": { "name": name, "labels": { "sgx.intel.com/capable": "true" } },
        "status": {
            "capacity": { EPC: "64" }, "allocatable": { EPC: "64" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    }))
}

/// A node without SGX.
pub(super) fn plain_node(name: &str) -> Node {
    typed(json!({
        "metadata": { "name": name },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    }))
}

/// A pod of the add-on that is ready.
pub(super) fn pod(of: &str, name: &str, node: &str) -> Pod {
    typed(json!({
        "metadata": {
            "name": name, "namespace": NAMESPACE, "labels": { "app.kubernetes.io/name": of },
        },
        "spec": {
            "nodeName": node,
            "containers": [{
                "name": "main",
                "image": concat!("registry/sgx-quote-helper:", env!("CARGO_PKG_VERSION")),
            }],
        },
        "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [{
                "name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "state": { "running": {} },
            }],
        },
    }))
}

/// A DaemonSet or Deployment with these numbers of desired and ready pods.
pub(super) fn workload(name: &str, wanted: i32, ready: i32) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "replicas": wanted,
            "selector": { "matchLabels": { "app.kubernetes.io/name": name } },
            "template": { "spec": { "containers": [] } },
        },
        "status": {
            "desiredNumberScheduled": wanted, "numberReady": ready, "readyReplicas": ready,
            "currentNumberScheduled": wanted, "numberMisscheduled": 0,
        },
    })
}

/// A cluster with one node, on which everything is in order.
pub(super) fn in_order() -> Facts {
    let webhook = json!({
        "name": "w", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "failurePolicy": "Ignore",
        "clientConfig": { "caBundle": "LS0tLS0=" },
    });
    let parts = ["sgx-plugin", "sgx-quote-helper", "sgx-webhook"];
    Facts {
        namespace: NAMESPACE.to_owned(),
        nodes: Ok(vec![node("n1")]),
        pods: Ok(Vec::new()),
        add_on_pods: Ok(parts.map(|part| pod(part, &format!("{part}-1"), "n1")).into()),
        device_plugin: Ok(Some(typed(workload("sgx-plugin", 1, 1)))),
        quote_service: Ok(Some(typed(workload("sgx-quote-helper", 1, 1)))),
        injection_policy: Ok(None),
        webhook: Ok(Some(typed(workload("sgx-webhook", 1, 1)))),
        pccs: Ok(None),
        webhook_configuration: Ok(Some(typed(json!({ "webhooks": [webhook] })))),
        webhook_endpoints: Ok(Some(typed(json!({
            "subsets": [{ "addresses": [{ "ip": "10.0.0.1" }] }],
        })))),
        webhook_certificates: Ok(None),
        verification: Ok(Vec::new()),
        trust_bundle: Ok(None),
        namespaces: Ok(Vec::new()),
    }
}
