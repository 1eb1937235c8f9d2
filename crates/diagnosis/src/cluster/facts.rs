//! The state of nodes, add-on and its users, from the API server.

use std::ops::RangeInclusive;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Endpoints, Node, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubernetes::manifests::{
    CLUSTER_PCCS, DEVICE_PLUGIN, QUOTE_SERVICE, WEBHOOK, WEBHOOK_CERTIFICATES,
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
    pub(crate) webhook: QueryResult<Option<Deployment>>,
    pub(crate) pccs: QueryResult<Option<Deployment>>,
    pub(crate) webhook_configuration: QueryResult<Option<MutatingWebhookConfiguration>>,
    pub(crate) webhook_endpoints: QueryResult<Option<Endpoints>>,
    pub(crate) webhook_certificates: QueryResult<Option<Secret>>,
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
            webhook,
            pccs,
            webhook_configuration,
            webhook_endpoints,
            webhook_certificates,
        ) = tokio::join!(
            cluster.all(|_| true),
            cluster.all(matters),
            cluster.all_in_namespace(),
            cluster.in_namespace(DEVICE_PLUGIN),
            cluster.in_namespace(QUOTE_SERVICE),
            cluster.in_namespace(WEBHOOK),
            cluster.in_namespace(CLUSTER_PCCS),
            cluster.in_cluster(WEBHOOK),
            cluster.in_namespace(WEBHOOK),
            cluster.in_namespace(WEBHOOK_CERTIFICATES),
        );
        Self {
            namespace: cluster.namespace.clone(),
            nodes,
            pods,
            add_on_pods,
            device_plugin,
            quote_service,
            webhook,
            pccs,
            webhook_configuration,
            webhook_endpoints,
            webhook_certificates,
        }
    }

    /// True if certainly no part of the add-on is installed.
    pub(crate) fn lacks_add_on(&self) -> bool {
        self.device_plugin == Ok(None) && self.quote_service == Ok(None) && self.webhook == Ok(None)
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
        let plugin = self.device_plugin.iter().flatten().filter_map(|it| it.spec.as_ref());
        let pod = plugin.filter_map(|spec| spec.template.spec.as_ref());
        let mut arguments =
            pod.flat_map(|pod| &pod.containers).flat_map(|it| it.args.iter().flatten());
        arguments.any(|argument| argument.starts_with("--software-epc"))
    }
}

/// The name of an object; on the API server each one has a name.
pub(crate) fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}
