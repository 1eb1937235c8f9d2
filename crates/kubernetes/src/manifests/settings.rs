//! The settings of an installation, as chosen and as kept in the cluster.

mod cluster_pccs;
mod component;
mod log_level;
mod named;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration};
use serde::{Deserialize, Serialize};

pub use self::cluster_pccs::{ClusterPccs, PccsMode, PccsSecret, PccsSecretKey};
pub use self::component::{Component, ComputeResources, Quantities};
pub use self::log_level::LogLevel;
pub use self::named::UnknownName;
use crate::device_plugin::{EpcAccounting, ResourceProfile, Shares};

/// The default namespace.
pub const DEFAULT_NAMESPACE: &str = "sgx-quote-helper";
/// The default first user.
pub const DEFAULT_FIRST_UID: u32 = 61_100;
/// The ConfigMap with the settings, in JSON under [`SETTINGS_KEY`]. They contain no secrets.
pub const SETTINGS: &str = "sgx-quote-helper-settings";
/// The key of the settings in their ConfigMap.
pub const SETTINGS_KEY: &str = "settings.json";

/// The image with Intel's libraries and enclaves.
const SGX_IMAGE: &str = concat!("sgx-quote-helper-sgx:", env!("CARGO_PKG_VERSION"));
/// The image without them.
const SOFTWARE_IMAGE: &str = concat!("sgx-quote-helper:", env!("CARGO_PKG_VERSION"));

/// The default number of replicas of the webhook.
const WEBHOOK_REPLICAS: u16 = 2;
/// The default size of simulated EPC.
const SOFTWARE_EPC: &str = "256MiB";

/// The settings of an installation.
///
/// Fields that older versions lack get their default; unknown fields of newer versions are refused.
/// So a field that the release before lacks is kept only where it differs from the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddOn {
    /// The namespace of all namespaced objects.
    pub namespace: String,
    /// The image of all containers; the default is this version's, see [`AddOn::image`].
    pub image: Option<String>,
    /// Secrets for pulling the image from a private registry.
    pub image_pull_secrets: Vec<String>,
    /// The names of EPC resources. The quote service uses the first for its own EPC.
    pub resource_profile: Shares,
    /// The counter of EPC.
    pub epc_accounting: EpcAccounting,
    /// The method of injection; by default an admission policy, where the cluster has them.
    pub injection: Option<InjectionMethod>,
    /// The source of quotes.
    pub platform: Platform,
    /// Runs a quote service on each node: the switch `--enable-sgxquotehelper` of AKS.
    pub quote_service: bool,
    /// The priority class of DaemonSets.
    pub priority_class: String,
    /// Labels that nodes of the add-on must have.
    pub node_selector: BTreeMap<String, String>,
    /// Tolerated taints, besides those named after an EPC resource.
    pub tolerations: Vec<Toleration>,
    /// The first of three users of the add-on's pods: those of the quote service, the PCCS and the
    /// webhook. Nothing else may run as one of them.
    pub first_uid: u32,
    /// Makes the quote service share the nodes' pid namespace, which it needs to tell pods of the
    /// same user apart.
    pub host_pid: bool,
    /// The numbers of the host's groups that may open the SGX device nodes, if access is
    /// restricted.
    pub device_groups: Vec<i64>,
    /// The PCCS with the platform's certificates.
    pub pccs: Option<Pccs>,
    /// A PCCS in the cluster, the default source of certificates. With the software platform it
    /// serves the collateral of the quote services, and requires them.
    pub cluster_pccs: Option<ClusterPccs>,
    /// CPU and memory of components, where they differ from the defaults.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: BTreeMap<Component, ComputeResources>,
    /// The replicas of the webhook.
    #[serde(skip_serializing_if = "is_default_of_replicas")]
    pub webhook_replicas: u16,
    /// Affinities of components, in place of the add-on's own.
    #[serde(skip_serializing_if = "is_default")]
    pub affinity: BTreeMap<Component, Affinity>,
    /// Labels of all objects and pods, besides the add-on's own.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of all objects and pods, besides the add-on's own.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    /// The least severe messages in the logs.
    #[serde(skip_serializing_if = "is_default")]
    pub log_level: LogLevel,
    /// Makes the device plugin pass device nodes by the Container Device Interface (CDI).
    #[serde(skip_serializing_if = "is_default")]
    pub cdi: bool,
    /// The simulated EPC of a node with the software platform, such as `256MiB`.
    #[serde(skip_serializing_if = "is_default_of_software_epc")]
    pub software_epc: String,
    /// Adds a PodMonitor, by which the Prometheus operator collects metrics.
    #[serde(skip_serializing_if = "is_default")]
    pub pod_monitor: bool,
}

/// The source of quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Intel's QE and PCE, on processors with SGX.
    Dcap,
    /// The software platform, insecure: simulated EPC, and quotes under a root of its own.
    Software,
}

/// The method of injection into pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InjectionMethod {
    /// Admission policies, evaluated by the API server: nothing to run, from Kubernetes 1.36 on.
    Policy,
    /// The admission webhook.
    Webhook,
}

/// A PCCS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pccs {
    /// The address without the API's path, such as `https://pccs.example:8081`.
    pub url: String,
    /// The certificates of its TLS authorities, in PEM; by default those of the image.
    pub authority: Option<String>,
}

impl Default for AddOn {
    fn default() -> Self {
        Self {
            namespace: DEFAULT_NAMESPACE.to_owned(),
            image: None,
            image_pull_secrets: Vec::new(),
            resource_profile: Shares::from(ResourceProfile::Azure),
            epc_accounting: EpcAccounting::NodeStatus,
            injection: None,
            platform: Platform::Dcap,
            quote_service: false,
            priority_class: "system-node-critical".to_owned(),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            first_uid: DEFAULT_FIRST_UID,
            host_pid: true,
            device_groups: Vec::new(),
            pccs: None,
            cluster_pccs: None,
            resources: BTreeMap::new(),
            webhook_replicas: WEBHOOK_REPLICAS,
            affinity: BTreeMap::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            log_level: LogLevel::Info,
            cdi: false,
            software_epc: SOFTWARE_EPC.to_owned(),
            pod_monitor: false,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_default_of_replicas(replicas: &u16) -> bool {
    *replicas == WEBHOOK_REPLICAS
}

fn is_default_of_software_epc(size: &str) -> bool {
    size == SOFTWARE_EPC
}

impl AddOn {
    /// The image of all containers: the chosen one, else this version's for the platform.
    #[must_use]
    pub fn image(&self) -> &str {
        match (&self.image, self.platform) {
            (Some(image), _) => image,
            (None, Platform::Dcap) => SGX_IMAGE,
            (None, Platform::Software) => SOFTWARE_IMAGE,
        }
    }
}
