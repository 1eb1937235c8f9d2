//! The PodMonitor, by which the Prometheus operator collects the metrics of all components.

use kube::core::DynamicObject;
use serde_json::json;

use super::object::PART_OF;
use super::pod::METRICS_PORT;
use super::{AddOn, QUOTE_SERVICE};

/// The PodMonitor's name.
const POD_MONITOR: &str = "sgx-quote-helper";
/// The label of pods with the component's name, as Prometheus sees it.
const COMPONENT: &str = "__meta_kubernetes_pod_label_app_kubernetes_io_name";
/// The job of the quote services in dashboard and alerts.
const QUOTE_SERVICE_JOB: &str = "quote-helper";

/// The PodMonitor, if chosen. The job of each component is its name, as dashboard and alerts expect
/// it, and its instance the node.
pub(super) fn objects(add_on: &AddOn) -> Result<Vec<DynamicObject>, serde_json::Error> {
    if !add_on.pod_monitor {
        return Ok(Vec::new());
    }
    let (label, value) = PART_OF;
    let relabelings = json!([
        { "sourceLabels": [COMPONENT], "targetLabel": "job" },
        {
            "sourceLabels": [COMPONENT],
            "regex": QUOTE_SERVICE,
            "targetLabel": "job",
            "replacement": QUOTE_SERVICE_JOB,
        },
        { "sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "instance" },
    ]);
    let endpoint = json!({
        "port": METRICS_PORT.0,
        "interval": "15s",
        "relabelings": relabelings,
    });
    Ok(vec![serde_json::from_value(json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": add_on.metadata(POD_MONITOR),
        "spec": {
            "selector": { "matchLabels": { label: value } },
            "podMetricsEndpoints": [endpoint],
        },
    }))?])
}
