//! The ways in which a cluster can tell verifiers about the root.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::error::{ApiContext, InstallationError};
use crate::api_server::ApiServer;
use crate::manifests::VERIFICATION_LABEL;

/// The names of the namespaces whose label asks for the settings of verifiers. Those that are
/// being deleted do not count.
///
/// # Errors
/// If the request fails.
pub async fn verifier_namespaces(api_server: &ApiServer) -> Result<Vec<String>, InstallationError> {
    let (label, value) = VERIFICATION_LABEL;
    let labelled = ListParams::default().labels(&format!("{label}={value}"));
    let namespaces = Api::<Namespace>::all(api_server.client());
    let is_there = |namespace: &Namespace| namespace.metadata.deletion_timestamp.is_none();
    let found = api_server.list(&namespaces, &labelled, is_there).await;
    let found = found.doing(|| "list namespaces".to_owned())?;
    Ok(found.iter().map(ResourceExt::name_any).collect())
}

/// True if the API server serves ClusterTrustBundles of the version v1.
///
/// # Errors
/// If the request fails.
pub async fn serves_trust_bundles(api_server: &ApiServer) -> Result<bool, InstallationError> {
    let serves = api_server.serves("certificates.k8s.io/v1", "clustertrustbundles").await;
    serves.doing(|| "ask for the kinds of certificates.k8s.io/v1".to_owned())
}
