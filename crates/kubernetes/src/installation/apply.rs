//! Applies objects.

use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;

use super::applied_object::{AppliedObject, ObjectOutcome};
use super::comparison::{difference, is_same};
use super::error::{ApiContext, HalfApplied, InstallationError};
use super::helm;
use super::inventory::is_managed;
use super::kind::ObjectName;
use super::removal::Removal;
use crate::api_server::{ApiError, ApiServer};
use crate::manifests::SOFTWARE_PLATFORM;

/// The field manager of applied fields.
pub(super) const FIELD_MANAGER: &str = "quote-helper";

/// An object to apply, with its name.
pub(super) struct DesiredObject<'a> {
    pub(super) name: ObjectName,
    pub(super) object: &'a DynamicObject,
}

/// The objects with their names.
pub(super) fn desired(
    objects: &[DynamicObject],
) -> Result<Vec<DesiredObject<'_>>, InstallationError> {
    let named = objects.iter().map(|object| match ObjectName::of(object) {
        Some(name) => Ok(DesiredObject { name, object }),
        None => Err(InstallationError::UnknownObject(object.name_any())),
    });
    named.collect()
}

/// Checks that the API server knows the kinds of all objects.
pub(super) async fn check_kinds(
    api_server: &ApiServer,
    desired: &[DesiredObject<'_>],
) -> Result<(), InstallationError> {
    for DesiredObject { name, .. } in desired.iter().filter(|it| it.name.kind.is_custom()) {
        let kind = name.kind;
        let serves = api_server.serves(&kind.api_version(), kind.plural()).await;
        if !serves.doing(|| format!("look for the kind {}", kind.name()))? {
            return Err(InstallationError::UnknownKind(name.clone()));
        }
    }
    Ok(())
}

/// Checks for conditions that would make the installation fail half-way.
pub(super) async fn check(
    api_server: &ApiServer,
    desired: &[DesiredObject<'_>],
) -> Result<(), InstallationError> {
    helm::refuse(api_server).await?;
    check_kinds(api_server, desired).await?;
    for namespace in namespaces(desired) {
        if live(api_server, &namespace).await?.is_some_and(|live| is_terminating(&live)) {
            return Err(InstallationError::NamespaceTerminating(namespace.name));
        }
    }
    for DesiredObject { name, object } in desired {
        if name.is("Secret", SOFTWARE_PLATFORM) {
            let live = live(api_server, name).await?;
            if live.is_some_and(|live| live.data.get("data") != object.data.get("data")) {
                return Err(InstallationError::RootConflict(name.clone()));
            }
        }
    }
    Ok(())
}

/// Applies all objects in their order. `created` are those that exist only since the dry run.
pub(super) async fn apply(
    api_server: &ApiServer,
    desired: &[DesiredObject<'_>],
    created: &[ObjectName],
    removal: &Removal<'_>,
) -> Result<Vec<AppliedObject>, InstallationError> {
    let mut done = Vec::<AppliedObject>::new();
    for (index, DesiredObject { name, object }) in desired.iter().enumerate() {
        removal.wait_if_terminating(name).await?;
        match apply_one(api_server, name, object).await {
            Ok(_) if created.contains(name) => {
                let outcome = ObjectOutcome::Created;
                done.push(AppliedObject { object: name.clone(), outcome });
            }
            Ok(outcome) => done.push(AppliedObject { object: name.clone(), outcome }),
            Err(source) => {
                let left = desired.iter().skip(index.saturating_add(1));
                return Err(InstallationError::HalfApplied(Box::new(HalfApplied {
                    applied: done.into_iter().map(|done| done.object).collect(),
                    failed: name.clone(),
                    left: left.map(|desired| desired.name.clone()).collect(),
                    source,
                })));
            }
        }
    }
    Ok(done)
}

async fn apply_one(
    api_server: &ApiServer,
    name: &ObjectName,
    object: &DynamicObject,
) -> Result<ObjectOutcome, ApiError> {
    let live = api_server.live(name).await?;
    if live.as_ref().is_some_and(|live| is_of_others(name, live)) {
        return Ok(ObjectOutcome::Unmanaged);
    }
    let applied = patch(api_server, name, object, false).await?;
    Ok(match live {
        None => ObjectOutcome::Created,
        Some(live) if is_same(&live, &applied) => ObjectOutcome::Unchanged,
        Some(_) => ObjectOutcome::Changed,
    })
}

/// The expected change of an object, as text.
pub(super) async fn preview(
    api_server: &ApiServer,
    desired: &DesiredObject<'_>,
) -> Result<(ObjectOutcome, String), InstallationError> {
    let DesiredObject { name, object } = desired;
    let Some(live) = live(api_server, name).await? else {
        return Ok((ObjectOutcome::Created, difference(None, object, &name.to_string())));
    };
    if is_of_others(name, &live) {
        return Ok((ObjectOutcome::Unmanaged, String::new()));
    }
    let applied = patch(api_server, name, object, true).await;
    let applied = applied.doing(|| format!("preview the change of {name}"))?;
    let difference = difference(Some(&live), &applied, &name.to_string());
    let outcome =
        if difference.is_empty() { ObjectOutcome::Unchanged } else { ObjectOutcome::Changed };
    Ok((outcome, difference))
}

/// Applies an object, or tries to.
pub(super) async fn patch(
    api_server: &ApiServer,
    name: &ObjectName,
    object: &DynamicObject,
    dry_run: bool,
) -> Result<DynamicObject, ApiError> {
    let objects = api_server.objects(name.kind, name.namespace.as_deref());
    let params = PatchParams { dry_run, ..PatchParams::apply(FIELD_MANAGER).force() };
    api_server.ask(objects.patch(&name.name, &params, &Patch::Apply(object))).await
}

async fn live(
    api_server: &ApiServer,
    name: &ObjectName,
) -> Result<Option<DynamicObject>, InstallationError> {
    api_server.live(name).await.doing(|| format!("look for {name}"))
}

/// The namespaces of these objects.
pub(super) fn namespaces(desired: &[DesiredObject<'_>]) -> Vec<ObjectName> {
    let mut namespaces = Vec::new();
    for namespace in desired.iter().filter_map(|desired| desired.name.namespace.as_deref()) {
        let namespace = ObjectName::namespace(namespace);
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    namespaces
}

/// The add-on's namespace: that of its first object in one.
pub(super) fn namespace<'a>(desired: &'a [DesiredObject<'_>]) -> &'a str {
    desired.iter().find_map(|desired| desired.name.namespace.as_deref()).unwrap_or("default")
}

/// True for a namespace that others created: it is used, but not changed.
pub(super) fn is_of_others(name: &ObjectName, live: &DynamicObject) -> bool {
    name.kind.name() == "Namespace" && !is_managed(live.labels())
}

fn is_terminating(live: &DynamicObject) -> bool {
    live.metadata.deletion_timestamp.is_some()
}
