//! Installations of the Helm chart, which only Helm may change and remove.

use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::DynamicObject;

use super::error::{ApiContext, InstallationError};
use super::helm_release::HelmRelease;
use super::kind::KINDS;
use crate::api_server::ApiServer;
use crate::manifests::{MANAGED_BY, PART_OF, SETTINGS};

/// The value of the label [`MANAGED_BY`] of Helm's objects.
pub(super) const HELM: &str = "Helm";
/// The annotation of Helm's objects with the name of their release.
const RELEASE: &str = "meta.helm.sh/release-name";

/// Fails if Helm has installed the add-on.
pub(super) async fn refuse(api_server: &ApiServer) -> Result<(), InstallationError> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name() == "ConfigMap") else { return Ok(()) };
    let labels = format!("{}={},{}={HELM}", PART_OF.0, PART_OF.1, MANAGED_BY.0);
    let params = ListParams::default().labels(&labels).fields(&format!("metadata.name={SETTINGS}"));
    let found = api_server.list(&api_server.objects(kind, None), &params, |_| true).await;
    let found: Vec<DynamicObject> = found.doing(|| "look for a release of Helm".to_owned())?;
    match found.first() {
        None => Ok(()),
        Some(settings) => Err(InstallationError::OfHelm(HelmRelease {
            name: settings.annotations().get(RELEASE).cloned().unwrap_or_default(),
            namespace: settings.namespace().unwrap_or_default(),
        })),
    }
}
