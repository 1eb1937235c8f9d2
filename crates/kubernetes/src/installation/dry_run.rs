//! Applies objects without effect, so that all admission of the cluster sees them before any
//! change.

use super::apply::{self, DesiredObject};
use super::error::{ApiContext, Denial, InstallationError};
use super::kind::ObjectName;
use super::removal::Removal;
use crate::api_server::{ApiError, ApiServer};

/// Applies all objects without effect. Namespaces that do not exist are created for that, since an
/// API server admits no object without its namespace, and returned; they are removed again if an
/// object is rejected.
///
/// # Errors
/// All rejected objects, each with its reason.
pub(super) async fn check(
    api_server: &ApiServer,
    desired: &[DesiredObject<'_>],
    removal: &Removal<'_>,
) -> Result<Vec<ObjectName>, InstallationError> {
    let mut missing = Vec::new();
    for desired in desired.iter().filter(|desired| desired.name.kind.name() == "Namespace") {
        removal.wait_if_terminating(&desired.name).await?;
        let live = api_server.live(&desired.name).await;
        if live.doing(|| format!("look for {}", desired.name))?.is_none() {
            missing.push(desired);
        }
    }
    let is_inside = |desired: &DesiredObject<'_>| {
        let namespace = desired.name.namespace.as_ref();
        namespace.is_some_and(|namespace| missing.iter().any(|it| it.name.name == *namespace))
    };
    let (inside, outside): (Vec<_>, Vec<_>) = desired.iter().partition(|it| is_inside(it));
    let mut denials = rejected(api_server, &outside, desired).await?;
    if !denials.is_empty() {
        return Err(InstallationError::Denied(denials));
    }
    for namespace in &missing {
        let created = apply::patch(api_server, &namespace.name, namespace.object, false).await;
        created.doing(|| format!("create {}", namespace.name))?;
    }
    denials = rejected(api_server, &inside, desired).await?;
    let created: Vec<_> = missing.into_iter().map(|namespace| namespace.name.clone()).collect();
    if denials.is_empty() {
        return Ok(created);
    }
    removal.remove(&created).await?;
    Err(InstallationError::Denied(denials))
}

async fn rejected(
    api_server: &ApiServer,
    objects: &[&DesiredObject<'_>],
    all: &[DesiredObject<'_>],
) -> Result<Vec<Denial>, InstallationError> {
    let mut denials = Vec::new();
    for DesiredObject { name, object } in objects {
        let live = api_server.live(name).await.doing(|| format!("look for {name}"))?;
        if live.is_some_and(|live| apply::is_of_others(name, &live)) {
            continue;
        }
        match apply::patch(api_server, name, object, true).await {
            Err(error) if !is_of_dry_run(&error, name, all) => {
                if !is_rejection(&error) {
                    return Err(error).doing(|| format!("try to apply {name}"));
                }
                denials.push(Denial { object: name.clone(), cause: error });
            }
            _ => {}
        }
    }
    Ok(denials)
}

/// True if the API server or its admission has rejected the object.
fn is_rejection(error: &ApiError) -> bool {
    match error {
        ApiError::Forbidden(_)
        | ApiError::NotFound(_)
        | ApiError::Conflict(_)
        | ApiError::Refused { .. } => true,
        ApiError::Unreachable { .. }
        | ApiError::Timeout(_)
        | ApiError::Credentials { .. }
        | ApiError::Unreadable { .. } => false,
    }
}

/// True for errors that only a dry run has: a webhook that does not support it, and a binding whose
/// role is yet to be created.
fn is_of_dry_run(error: &ApiError, name: &ObjectName, all: &[DesiredObject<'_>]) -> bool {
    let is_rbac = |name: &ObjectName| name.kind.group() == "rbac.authorization.k8s.io";
    let makes_roles =
        all.iter().any(|it| is_rbac(&it.name) && it.name.kind.name().ends_with("Role"));
    match error {
        ApiError::NotFound(_) => is_rbac(name) && makes_roles,
        ApiError::Refused { message, .. } => message.contains("does not support dry run"),
        _ => false,
    }
}
