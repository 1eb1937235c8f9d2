//! What the API server knows of the nodes, the add-on and the pods that have to do with it.

use std::ops::RangeInclusive;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Endpoints, Node, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubernetes::manifests::{
    CLUSTER_PCCS, DEVICE_PLUGIN, QUOTE_SERVICE, WEBHOOK, WEBHOOK_CERTIFICATES,
};

use super::api_server::{Answer, Cluster};

/// The facts, each as far as it could be had.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) namespace: String,
    pub(crate) nodes: Answer<Vec<Node>>,
    /// Those of the whole cluster's pods that matter: they ask for EPC or are written for the add-on.
    pub(crate) pods: Answer<Vec<Pod>>,
    /// The pods in the add-on's namespace.
    pub(crate) add_on_pods: Answer<Vec<Pod>>,
    pub(crate) device_plugin: Answer<Option<DaemonSet>>,
    pub(crate) quote_service: Answer<Option<DaemonSet>>,
    pub(crate) webhook: Answer<Option<Deployment>>,
    pub(crate) pccs: Answer<Option<Deployment>>,
    pub(crate) webhook_configuration: Answer<Option<MutatingWebhookConfiguration>>,
    pub(crate) webhook_endpoints: Answer<Option<Endpoints>>,
    pub(crate) webhook_certificates: Answer<Option<Secret>>,
}

impl Facts {
    /// Asks the API server for all of them; of the cluster's pods for those that matter.
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

    /// Whether it is certain that there is no part of the add-on.
    pub(crate) fn lacks_add_on(&self) -> bool {
        self.device_plugin == Ok(None) && self.quote_service == Ok(None) && self.webhook == Ok(None)
    }

    /// The users that the add-on's pods run as, from the lowest to the highest; `None` if that is not known.
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

    /// Whether the device plugin offers EPC that is not there, as it does with the software platform.
    pub(crate) fn has_software_epc(&self) -> bool {
        let plugin = self.device_plugin.iter().flatten().filter_map(|it| it.spec.as_ref());
        let pod = plugin.filter_map(|spec| spec.template.spec.as_ref());
        let mut arguments =
            pod.flat_map(|pod| &pod.containers).flat_map(|it| it.args.iter().flatten());
        arguments.any(|argument| argument.starts_with("--software-epc"))
    }
}

/// The name of an object; the API server gives each one.
pub(crate) fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}
