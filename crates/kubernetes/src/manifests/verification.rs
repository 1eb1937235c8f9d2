//! Objects for verifiers in this cluster.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;

use super::addresses::{
    COLLATERAL, COLLATERAL_PORT, cluster_pccs_url, pccs_url, software_collateral_url,
};
use super::object::object;
use super::service::service;
use super::{AddOn, Cluster, Platform, QUOTE_SERVICE};

/// The ConfigMap with the address of collateral (`pccs-url`) and, with the software platform, the
/// root to trust (`trusted-root.pem`).
pub const VERIFICATION: &str = "sgx-verification";
/// The second namespace with this ConfigMap: that of the samples.
pub const VERIFIER_NAMESPACE: &str = "default";
/// The label of other namespaces that get this ConfigMap, and its value.
pub const VERIFICATION_LABEL: (&str, &str) = ("sgx-quote-helper/verification", "true");
/// The key of the root to trust.
pub const TRUSTED_ROOT_KEY: &str = "trusted-root.pem";

/// The Service, and the ConfigMap in each namespace of verifiers unless it is empty.
pub(super) fn objects(
    add_on: &AddOn,
    cluster: &Cluster,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let mut objects = Vec::new();
    if add_on.platform == Platform::Software {
        objects.push(object(&service(add_on, COLLATERAL, QUOTE_SERVICE, COLLATERAL_PORT))?);
    }
    let needed = needed(add_on, cluster);
    if needed.is_empty() {
        return Ok(objects);
    }
    for namespace in namespaces(add_on, cluster) {
        objects.push(object(&ConfigMap {
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                ..add_on.metadata(VERIFICATION)
            },
            data: Some(needed.clone()),
            ..ConfigMap::default()
        })?);
    }
    Ok(objects)
}

/// The add-on's namespace, that of the samples, and those with the label, each once.
fn namespaces<'a>(add_on: &'a AddOn, cluster: &'a Cluster) -> Vec<&'a str> {
    let labelled = cluster.verifier_namespaces.iter().map(String::as_str);
    let mut namespaces = vec![add_on.namespace.as_str()];
    for namespace in [VERIFIER_NAMESPACE].into_iter().chain(labelled) {
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    namespaces
}

fn needed(add_on: &AddOn, cluster: &Cluster) -> BTreeMap<String, String> {
    let (url, root) = match add_on.platform {
        Platform::Dcap => (pccs_url(add_on), None),
        Platform::Software => (
            Some(cluster_pccs_url(add_on).unwrap_or_else(|| software_collateral_url(add_on))),
            cluster.software_platform_root.as_ref().map(|root| root.certificate.clone()),
        ),
    };
    let known = [("pccs-url", url), (TRUSTED_ROOT_KEY, root)];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
