//! Network policies that allow the add-on's pods only the connections they need. Network plugins
//! without support ignore them.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::DynamicObject;

use super::addresses::{CLUSTER_PCCS, COLLATERAL_PORT, PCCS_PORT};
use super::object::object;
use super::pod::{METRICS_PORT, selector};
use super::webhook::REVIEWS_PORT;
use super::{
    AddOn, DEVICE_PLUGIN, InjectionMethod, KubernetesVersion, Platform, QUOTE_SERVICE, WEBHOOK,
};

/// The label of namespaces that collect metrics.
const COLLECTS_METRICS: (&str, &str) = ("metrics", "enabled");

/// A policy for each component. Metrics and health are open to the add-on's namespace and to
/// namespaces with the label; policies do not apply to the kubelet.
pub(super) fn objects(
    add_on: &AddOn,
    version: KubernetesVersion,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    // The API server's address, and its visibility to pods, differ between clusters.
    let anywhere = vec![NetworkPolicyEgressRule::default()];
    let nowhere = Vec::new();
    let plugin_asks = if add_on.counts_in_node_status() { &anywhere } else { &nowhere };
    let mut policies = vec![policy(add_on, DEVICE_PLUGIN, Vec::new(), plugin_asks)];
    if add_on.injection_method(version) == InjectionMethod::Webhook {
        policies.push(policy(add_on, WEBHOOK, vec![from_anywhere(REVIEWS_PORT)], &anywhere));
    }
    if add_on.quote_service {
        policies.push(match add_on.platform {
            Platform::Dcap => policy(add_on, QUOTE_SERVICE, Vec::new(), &anywhere),
            Platform::Software => {
                policy(add_on, QUOTE_SERVICE, vec![from_anywhere(COLLATERAL_PORT)], &nowhere)
            }
        });
    }
    if add_on.cluster_pccs.is_some() {
        policies.push(policy(add_on, CLUSTER_PCCS, vec![from_anywhere(PCCS_PORT)], &anywhere));
    }
    policies.iter().map(object).collect()
}

fn policy(
    add_on: &AddOn,
    name: &str,
    served: Vec<NetworkPolicyIngressRule>,
    asked: &[NetworkPolicyEgressRule],
) -> NetworkPolicy {
    NetworkPolicy {
        metadata: add_on.metadata(name),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(name)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some([vec![metrics()], served].concat()),
            egress: Some(asked.to_vec()),
        }),
    }
}

fn metrics() -> NetworkPolicyIngressRule {
    let (label, value) = COLLECTS_METRICS;
    let collectors = LabelSelector {
        match_labels: Some([(label.to_owned(), value.to_owned())].into()),
        ..LabelSelector::default()
    };
    let own_namespace = NetworkPolicyPeer {
        pod_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    };
    let others =
        NetworkPolicyPeer { namespace_selector: Some(collectors), ..NetworkPolicyPeer::default() };
    NetworkPolicyIngressRule {
        from: Some(vec![own_namespace, others]),
        ..from_anywhere(METRICS_PORT)
    }
}

/// The API server may call the webhook from anywhere, and verifiers are in any namespace.
fn from_anywhere((_, number): (&str, i32)) -> NetworkPolicyIngressRule {
    let port = NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    };
    NetworkPolicyIngressRule { ports: Some(vec![port]), from: None }
}
