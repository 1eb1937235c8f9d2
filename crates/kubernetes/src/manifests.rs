//! The add-on as Kubernetes objects: a function from settings to objects, without access to a
//! cluster.

mod addresses;
mod admission;
mod admission_policy;
mod cluster_pccs;
mod compute;
mod device_plugin;
mod kubernetes_version;
mod namespace;
mod network_policy;
mod node_access;
mod object;
mod pod;
mod pod_monitor;
mod quote_provider;
mod quote_service;
mod rolling_update;
mod service;
mod settings;
mod sgx_nodes;
mod software_platform;
mod users;
mod verification;
mod webhook;

pub use addresses::{CLUSTER_PCCS, COLLATERAL};
pub use admission_policy::{INJECTION_POLICY, WARNING_POLICY, admission_policies};
pub use compute::RequestAboveLimit;
pub use device_plugin::DEVICE_PLUGIN;
pub use kubernetes_version::{KubernetesVersion, KubernetesVersionError};
pub use object::{MANAGED_BY, PART_OF};
pub use quote_service::{QUOTE_SERVICE, QUOTE_SERVICE_CONTAINER};
pub use settings::{
    AddOn, ClusterPccs, Component, ComputeResources, DEFAULT_FIRST_UID, DEFAULT_NAMESPACE,
    InjectionMethod, LogLevel, Pccs, PccsMode, PccsSecret, PccsSecretKey, Platform, Quantities,
    SETTINGS, SETTINGS_KEY, UnknownName,
};
pub use sgx_nodes::{AZURE_SGX_SIZES, INSTANCE_TYPE_LABEL, SGX_NODE_LABELS};
pub use software_platform::{SOFTWARE_PLATFORM, SoftwarePlatformRoot, TRUST_BUNDLE};
pub use users::uids;
pub use verification::{TRUSTED_ROOT_KEY, VERIFICATION, VERIFICATION_LABEL, VERIFIER_NAMESPACE};
pub use webhook::{WEBHOOK, WEBHOOK_CERTIFICATES};

use kube::core::DynamicObject;

/// The properties of a cluster that objects depend on.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// The version of the API server.
    pub version: KubernetesVersion,
    /// The root of the software platform, if that makes the quotes. Without it the Secret
    /// [`SOFTWARE_PLATFORM`] must exist.
    pub software_platform_root: Option<SoftwarePlatformRoot>,
    /// True if the API server serves ClusterTrustBundles of the version v1; `None` if only the
    /// version can tell.
    pub serves_trust_bundles: Option<bool>,
    /// The namespaces with the label [`VERIFICATION_LABEL`], which get the ConfigMap
    /// [`VERIFICATION`] besides the add-on's and [`VERIFIER_NAMESPACE`].
    pub verifier_namespaces: Vec<String>,
}

impl Cluster {
    fn has_trust_bundles(&self) -> bool {
        self.serves_trust_bundles.unwrap_or_else(|| self.version.has_cluster_trust_bundles())
    }
}

impl AddOn {
    /// All objects, in an order in which they can be created.
    ///
    /// # Errors
    /// If an object cannot be serialized.
    pub fn objects(&self, cluster: &Cluster) -> Result<Vec<DynamicObject>, serde_json::Error> {
        let mut objects = namespace::objects(self)?;
        objects.extend(network_policy::objects(self, cluster.version)?);
        objects.extend(node_access::objects(self)?);
        objects.extend(device_plugin::objects(self, cluster.version)?);
        objects.extend(admission::objects(self, cluster.version)?);
        if self.quote_service {
            objects.extend(software_platform::objects(self, cluster)?);
            objects.extend(quote_provider::objects(self)?);
            objects.extend(quote_service::objects(self, cluster)?);
        }
        objects.extend(cluster_pccs::objects(self, cluster)?);
        if self.quote_service || self.cluster_pccs.is_some() {
            objects.extend(verification::objects(self, cluster)?);
        }
        objects.extend(pod_monitor::objects(self)?);
        objects.iter_mut().for_each(|object| self.add_metadata(object));
        Ok(objects)
    }

    /// Those objects that hold the software platform's root.
    ///
    /// # Errors
    /// If an object cannot be serialized.
    pub fn root_objects(&self, cluster: &Cluster) -> Result<Vec<DynamicObject>, serde_json::Error> {
        let names = [SOFTWARE_PLATFORM, TRUST_BUNDLE, VERIFICATION];
        let mut objects = self.objects(cluster)?;
        objects.retain(|it| it.metadata.name.as_deref().is_some_and(|name| names.contains(&name)));
        Ok(objects)
    }
}
