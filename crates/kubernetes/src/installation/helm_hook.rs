//! The parts of an installation of the Helm chart that no template can make: a new root of the
//! software platform, and a status of the nodes without EPC.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{DeleteParams, ListParams};
use kube::core::DynamicObject;
use kube::{Api, ResourceExt};
use tokio::time::sleep;

use super::apply::patch;
use super::error::{ApiContext, InstallationError};
use super::helm::HELM;
use super::kind::ObjectName;
use super::node_resources;
use crate::api_server::{ApiError, ApiServer};
use crate::manifests::{
    DEVICE_PLUGIN, MANAGED_BY, SOFTWARE_PLATFORM, SoftwarePlatformRoot, TRUST_BUNDLE, VERIFICATION,
};

/// The interval between looks for pods that end.
const PERIOD: Duration = Duration::from_millis(500);

/// The root in the add-on's namespace, if there is one.
///
/// # Errors
/// If the request fails, or the root is damaged.
pub async fn root_of_namespace(
    api_server: &ApiServer,
    namespace: &str,
) -> Result<Option<SoftwarePlatformRoot>, InstallationError> {
    let Some(name) = ObjectName::named("Secret", Some(namespace), SOFTWARE_PLATFORM) else {
        return Ok(None);
    };
    let live = api_server.live(&name).await.doing(|| format!("look for {name}"))?;
    let Some(live) = live else { return Ok(None) };
    let secret = live.try_parse::<Secret>().ok();
    match secret.as_ref().and_then(SoftwarePlatformRoot::of_secret) {
        Some(root) => Ok(Some(root)),
        None => Err(InstallationError::DamagedRoot(name)),
    }
}

/// Puts the objects with the root into the cluster, as Helm's.
///
/// # Errors
/// If one cannot be applied.
pub async fn apply_root(
    api_server: &ApiServer,
    objects: Vec<DynamicObject>,
) -> Result<(), InstallationError> {
    for mut object in objects {
        object.labels_mut().insert(MANAGED_BY.0.to_owned(), HELM.to_owned());
        let Some(name) = ObjectName::of(&object) else { continue };
        let applied = patch(api_server, &name, &object, false).await;
        applied.doing(|| format!("apply {name}"))?;
    }
    Ok(())
}

/// Removes what Helm does not know: the root, and EPC in the nodes' status, when the device plugins
/// have ended.
///
/// # Errors
/// If a request fails.
pub async fn clean_up(api_server: &ApiServer, namespace: &str) -> Result<(), InstallationError> {
    remove_root(api_server, namespace).await?;
    wait_for_device_plugins(api_server, namespace).await?;
    for found in node_resources::find(api_server).await? {
        node_resources::remove(api_server, &found).await?;
    }
    Ok(())
}

async fn remove_root(api_server: &ApiServer, namespace: &str) -> Result<(), InstallationError> {
    let named = ListParams::default().fields(&format!("metadata.name={VERIFICATION}"));
    let copies = Api::<ConfigMap>::all(api_server.client());
    let is_ours = |copy: &ConfigMap| copy.labels().get(MANAGED_BY.0).is_some_and(|it| it == HELM);
    let copies = api_server.list(&copies, &named, is_ours).await;
    let copies = copies.doing(|| format!("list the ConfigMaps {VERIFICATION}"))?;
    let copies = copies.iter().filter_map(ResourceExt::namespace);
    let copies = copies.map(|namespace| ("ConfigMap", Some(namespace), VERIFICATION));
    let others = [
        ("ClusterTrustBundle", None, TRUST_BUNDLE),
        ("Secret", Some(namespace.to_owned()), SOFTWARE_PLATFORM),
    ];
    for (kind, namespace, name) in copies.chain(others) {
        let Some(name) = ObjectName::named(kind, namespace.as_deref(), name) else { continue };
        remove(api_server, &name).await?;
    }
    Ok(())
}

async fn remove(api_server: &ApiServer, name: &ObjectName) -> Result<(), InstallationError> {
    let objects = api_server.objects(name.kind, name.namespace.as_deref());
    let removed = api_server.ask(objects.delete(&name.name, &DeleteParams::default())).await;
    match removed {
        Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
        Err(error) => Err(error).doing(|| format!("remove {name}")),
    }
}

/// A device plugin that runs would count the node's EPC again.
async fn wait_for_device_plugins(
    api_server: &ApiServer,
    namespace: &str,
) -> Result<(), InstallationError> {
    let pods = Api::<Pod>::namespaced(api_server.client(), namespace);
    let plugins = format!("app.kubernetes.io/name={DEVICE_PLUGIN}");
    let plugins = ListParams::default().labels(&plugins);
    loop {
        let running = api_server.list(&pods, &plugins, |_| true).await;
        if running.doing(|| "list the pods of the device plugin".to_owned())?.is_empty() {
            return Ok(());
        }
        sleep(PERIOD).await;
    }
}
