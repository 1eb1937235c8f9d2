//! What is to be installed, as it is chosen and as it is kept in the cluster.

mod cluster_pccs;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;
use serde::{Deserialize, Serialize};

pub use self::cluster_pccs::{ClusterPccs, PccsMode, PccsSecret, PccsSecretKey, UnknownName};
use super::object::{labels, object};
use super::users::DEFAULT_FIRST_UID;
use crate::device_plugin::{EpcAccounting, ResourceProfile, Shares};

/// The namespace that is made for the add-on if none is chosen.
pub const DEFAULT_NAMESPACE: &str = "sgx-quote-helper";
/// The ConfigMap with the settings, in JSON below [`SETTINGS_KEY`]. There is no secret in them.
pub const SETTINGS: &str = "sgx-quote-helper-settings";
/// The key of the settings in their ConfigMap.
pub const SETTINGS_KEY: &str = "settings.json";

/// The image with Intel's libraries and enclaves.
const SGX_IMAGE: &str = concat!("sgx-quote-helper-sgx:", env!("CARGO_PKG_VERSION"));
/// The image without them.
const SOFTWARE_IMAGE: &str = concat!("sgx-quote-helper:", env!("CARGO_PKG_VERSION"));

/// What to install, and how.
///
/// What older versions have not kept has its default; what newer ones have kept is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddOn {
    /// The namespace of everything that has one.
    pub namespace: String,
    /// The image of all containers, if one is chosen; else that of this version, see [`AddOn::image`].
    pub image: Option<String>,
    /// The Secrets with which nodes get the image from a private registry.
    pub image_pull_secrets: Vec<String>,
    /// The names under which EPC is offered. The quote service asks for its own by the first one.
    pub resource_profile: Shares,
    /// Who counts the EPC.
    pub epc_accounting: EpcAccounting,
    /// Where quotes come from.
    pub platform: Platform,
    /// Whether there is a quote service on each node: the switch `--enable-sgxquotehelper` of AKS.
    pub quote_service: bool,
    /// The priority class of what runs on each node.
    pub priority_class: String,
    /// Labels that a node must have for anything of the add-on to run on it.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that do not keep the add-on from a node, besides those that are named as a resource for EPC.
    pub tolerations: Vec<Toleration>,
    /// The first of three numbers of users that the add-on's pods run as: those of the quote service, of the PCCS
    /// and of the webhook. Nothing else is to run as one of them.
    pub first_uid: u32,
    /// Whether the quote service shares the nodes' pid namespace: only so it tells pods of the same user apart.
    pub host_pid: bool,
    /// Groups of the host that may open the SGX device nodes, by number, if not everybody may.
    pub device_groups: Vec<i64>,
    /// Where the platform's certificates come from.
    pub pccs: Option<Pccs>,
    /// A PCCS in the cluster, where they come from if no other one is named. With the software platform it has what
    /// the quote services have, and so goes with these.
    pub cluster_pccs: Option<ClusterPccs>,
}

/// Where quotes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Intel's QE and PCE, on processors with SGX.
    Dcap,
    /// The software platform, insecure: EPC that is not there, and quotes under a root of its own.
    Software,
}

/// A PCCS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pccs {
    /// Its address, without the path of the API, such as `https://pccs.example:8081`.
    pub url: String,
    /// The certificates of the authorities that its own certificate may be signed by, in PEM; those of the
    /// image if there are none.
    pub authority: Option<String>,
}

impl Default for AddOn {
    fn default() -> Self {
        Self {
            namespace: DEFAULT_NAMESPACE.to_owned(),
            image: None,
            image_pull_secrets: Vec::new(),
            resource_profile: Shares::from(ResourceProfile::Azure),
            epc_accounting: EpcAccounting::Devices,
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
        }
    }
}

impl AddOn {
    /// The image of all containers: the one that is chosen, else that of this version for the platform.
    #[must_use]
    pub fn image(&self) -> &str {
        match (&self.image, self.platform) {
            (Some(image), _) => image,
            (None, Platform::Dcap) => SGX_IMAGE,
            (None, Platform::Software) => SOFTWARE_IMAGE,
        }
    }

    /// Whether the namespace is one that every cluster has, and so not the add-on's own.
    fn is_in_namespace_of_cluster(&self) -> bool {
        self.namespace == "default" || self.namespace.starts_with("kube-")
    }
}

/// The namespace, and the settings for those who change the add-on later.
pub(super) fn objects(add_on: &AddOn) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let mut objects = Vec::new();
    if !add_on.is_in_namespace_of_cluster() {
        objects.push(object(&namespace(add_on))?);
    }
    let settings = serde_json::to_string_pretty(add_on)?;
    objects.push(object(&ConfigMap {
        metadata: add_on.metadata(SETTINGS),
        data: Some([(SETTINGS_KEY.to_owned(), settings)].into()),
        ..ConfigMap::default()
    })?);
    Ok(objects)
}

/// Pods of the add-on have volumes of the host, which only this level of the Pod Security Standards allows.
fn namespace(add_on: &AddOn) -> Namespace {
    let level = ("pod-security.kubernetes.io/enforce".to_owned(), "privileged".to_owned());
    Namespace {
        metadata: ObjectMeta {
            name: Some(add_on.namespace.clone()),
            labels: Some(labels().chain([level]).collect()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}
