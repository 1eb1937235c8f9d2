//! The state of nodes, add-on and its users, from the API server.

use std::ops::RangeInclusive;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Namespace, Node, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::manifests::{
    CLUSTER_PCCS, DEVICE_PLUGIN, QUOTE_SERVICE, TRUST_BUNDLE, VERIFICATION, WEBHOOK,
    WEBHOOK_CERTIFICATES,
};

use super::api_server::{Cluster, QueryResult};

/// The facts, each one the outcome of a query.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) namespace: String,
    pub(crate) nodes: QueryResult<Vec<Node>>,
    /// All pods of the cluster that request EPC or are written for the add-on.
    pub(crate) pods: QueryResult<Vec<Pod>>,
    /// The pods in the add-on's namespace.
    pub(crate) add_on_pods: QueryResult<Vec<Pod>>,
    pub(crate) device_plugin: QueryResult<Option<DaemonSet>>,
    pub(crate) quote_service: QueryResult<Option<DaemonSet>>,
    /// The policy that injects in place of the webhook.
    pub(crate) injection_policy: QueryResult<Option<DynamicObject>>,
    pub(crate) webhook: QueryResult<Option<Deployment>>,
    pub(crate) pccs: QueryResult<Option<Deployment>>,
    pub(crate) webhook_configuration: QueryResult<Option<MutatingWebhookConfiguration>>,
    pub(crate) webhook_endpoints: QueryResult<Option<Endpoints>>,
    pub(crate) webhook_certificates: QueryResult<Option<Secret>>,
    /// The settings of verifiers, in all namespaces.
    pub(crate) verification: QueryResult<Vec<ConfigMap>>,
    pub(crate) trust_bundle: QueryResult<Option<DynamicObject>>,
    pub(crate) namespaces: QueryResult<Vec<Namespace>>,
}

impl Facts {
    /// Queries the API server; of the cluster's pods it keeps those for which `matters` holds.
    pub(crate) async fn gather(cluster: &Cluster, matters: fn(&Pod) -> bool) -> Self {
        let (
            nodes,
            pods,
            add_on_pods,
            device_plugin,
            quote_service,
            injection_policy,
            webhook,
            pccs,
            webhook_configuration,
            webhook_endpoints,
            webhook_certificates,
            verification,
            trust_bundle,
            namespaces,
        ) = tokio::join!(
            cluster.all(|_| true),
            cluster.all(matters),
            cluster.all_in_namespace(),
            cluster.in_namespace(DEVICE_PLUGIN),
            cluster.in_namespace(QUOTE_SERVICE),
            cluster.injection_policy(),
            cluster.in_namespace(WEBHOOK),
            cluster.in_namespace(CLUSTER_PCCS),
            cluster.in_cluster(WEBHOOK),
            cluster.in_namespace(WEBHOOK),
            cluster.in_namespace(WEBHOOK_CERTIFICATES),
            cluster.all_named(VERIFICATION),
            cluster.trust_bundle(TRUST_BUNDLE),
            cluster.all(|_| true),
        );
        Self {
            namespace: cluster.namespace.clone(),
            nodes,
            pods,
            add_on_pods,
            device_plugin,
            quote_service,
            injection_policy,
            webhook,
            pccs,
            webhook_configuration,
            webhook_endpoints,
            webhook_certificates,
            verification,
            trust_bundle,
            namespaces,
        }
    }

    /// True if certainly no part of the add-on is installed.
    pub(crate) fn lacks_add_on(&self) -> bool {
        self.device_plugin == Ok(None) && self.quote_service == Ok(None) && self.webhook == Ok(None)
    }

    /// True if the API server injects by itself, so that no webhook is needed.
    pub(crate) fn injects_by_policy(&self) -> bool {
        self.webhook == Ok(None) && matches!(self.injection_policy, Ok(Some(_)))
    }

    /// The range of users that the add-on's pods run as; `None` if unknown.
    pub(crate) fn add_on_uids(&self) -> Option<RangeInclusive<u32>> {
        let quote_service = self.quote_service.iter().flatten().filter_map(|it| it.spec.as_ref());
        let deployments = [&self.webhook, &self.pccs].into_iter().flatten().flatten();
        let templates = deployments.filter_map(|it| it.spec.as_ref()).map(|it| &it.template);
        let templates = templates.chain(quote_service.map(|it| &it.template));
        let containers = templates.filter_map(|it| it.spec.as_ref()).flat_map(|it| &it.containers);
        let users = containers.filter_map(|it| it.security_context.as_ref()?.run_as_user);
        let mut users: Vec<u32> = users.filter_map(|user| user.try_into().ok()).collect();
        users.sort_unstable();
        Some(*users.first()?..=*users.last()?)
    }

    /// True if the device plugin advertises simulated EPC, as it does with the software platform.
    pub(crate) fn has_software_epc(&self) -> bool {
        self.device_plugin_arguments().any(|argument| argument.starts_with("--software-epc"))
    }
}

impl Facts {
    /// The counter of EPC, by the arguments of the device plugin.
    pub(crate) fn epc_accounting(&self) -> EpcAccounting {
        match self.device_plugin_arguments().any(|it| it == "--epc-accounting=node-status") {
            true => EpcAccounting::NodeStatus,
            false => EpcAccounting::Devices,
        }
    }

    fn device_plugin_arguments(&self) -> impl Iterator<Item = &String> {
        let plugin = self.device_plugin.iter().flatten().filter_map(|it| it.spec.as_ref());
        let pod = plugin.filter_map(|spec| spec.template.spec.as_ref());
        pod.flat_map(|pod| &pod.containers).flat_map(|it| it.args.iter().flatten())
    }
}

/// True if the pod's requests count on this node.
pub(crate) fn is_on(pod: &Pod, node: &Node) -> bool {
    node.metadata.name.as_deref().is_some_and(|node| is_on_node(pod, node))
}

/// True if the pod's requests count on the node of this name.
pub(crate) fn is_on_node(pod: &Pod, node: &str) -> bool {
    let at = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    at == Some(node) && !has_ended(pod)
}

/// True if the pod has ended, and holds nothing any more.
pub(crate) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The pod as the object of a finding.
pub(crate) fn pod_object(pod: &Pod) -> String {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    format!("pod/{namespace}/{}", name(&pod.metadata))
}

/// The name of an object; on the API server each one has a name.
pub(crate) fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}
