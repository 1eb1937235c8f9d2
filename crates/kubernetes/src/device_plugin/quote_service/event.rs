//! Events about a node.

use k8s_openapi::api::core::v1::{Event, EventSource, Node, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::verdict::Verdict;
use crate::device_plugin::node_status::EVENT_NAMESPACE;

/// The component that reports, named after its DaemonSet.
const COMPONENT: &str = "sgx-plugin";

/// The Event of a change to this verdict.
pub(super) fn about(node: &Node, verdict: &Verdict, at: Timestamp) -> Event {
    let name = node.name_any();
    let (reason, kind) = match verdict.is_ready() {
        true => ("QuoteServiceReady", "Normal"),
        false => ("QuoteServiceNotReady", "Warning"),
    };
    Event {
        metadata: ObjectMeta {
            // As the kubelet names its own.
            name: Some(format!("{name}.{:x}", Timestamp::now().as_nanosecond())),
            namespace: Some(EVENT_NAMESPACE.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(name.clone()),
            uid: node.uid(),
            ..ObjectReference::default()
        },
        reason: Some(reason.to_owned()),
        type_: Some(kind.to_owned()),
        message: Some(format!("{}: {}", verdict.reason, verdict.message)),
        source: Some(EventSource { component: Some(COMPONENT.to_owned()), host: Some(name) }),
        first_timestamp: Some(Time(at)),
        last_timestamp: Some(Time(at)),
        count: Some(1),
        ..Event::default()
    }
}
