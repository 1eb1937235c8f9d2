//! The installed objects, by their labels.

use std::collections::BTreeMap;

use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::{DynamicObject, PartialObjectMeta};

use super::error::{ApiContext, InstallationError};
use super::kind::{KINDS, Kind, ObjectName};
use crate::api_server::{ApiError, ApiServer};
use crate::manifests::{DEVICE_PLUGIN, MANAGED_BY, PART_OF};

/// All objects of the add-on in all namespaces, in the order of [`KINDS`]. The device plugin's come
/// first, since the others have their EPC from it.
pub(super) async fn inventory(
    api_server: &ApiServer,
) -> Result<Vec<ObjectName>, InstallationError> {
    let mut found = Vec::new();
    for kind in KINDS {
        let objects = list(api_server, kind).await;
        let mut objects = objects.doing(|| format!("list {}", kind.plural()))?;
        objects.sort_by_key(|object| object.name_any() != DEVICE_PLUGIN);
        found.extend(objects.iter().filter_map(|object| {
            ObjectName::new(kind, object.namespace().as_deref(), object.metadata.name.as_deref())
        }));
    }
    Ok(found)
}

/// Selects objects of the add-on.
pub(super) fn managed() -> ListParams {
    let [(part_of, what), (managed_by, whom)] = [PART_OF, MANAGED_BY];
    ListParams::default().labels(&format!("{part_of}={what},{managed_by}={whom}"))
}

/// True if an object with these labels is one of the add-on.
pub(super) fn is_managed(labels: &BTreeMap<String, String>) -> bool {
    [PART_OF, MANAGED_BY]
        .iter()
        .all(|(label, value)| labels.get(*label).is_some_and(|present| present == value))
}

async fn list(
    api_server: &ApiServer,
    kind: &Kind,
) -> Result<Vec<PartialObjectMeta<DynamicObject>>, ApiError> {
    match api_server.ask(api_server.objects(kind, None).list_metadata(&managed())).await {
        Ok(list) => Ok(list.items),
        // An API server that does not know the kind has no object of it.
        Err(ApiError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
