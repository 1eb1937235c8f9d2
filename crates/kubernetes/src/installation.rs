//! Installs the objects of the add-on in a cluster, and removes them.
//!
//! Objects are identified by their labels in all namespaces, so that leftovers of earlier versions
//! and settings are found without a record. A Lease prevents concurrent changes.

mod applied_object;
mod apply;
mod comparison;
mod error;
mod installed;
mod inventory;
mod kind;
mod lease;
mod namespace;
mod node_resources;
mod objects;
mod permission;
mod permissions;
mod removal;
mod rollout;
mod verifiers;
mod waiting;

pub use applied_object::{AppliedObject, ObjectOutcome, Preview};
pub use error::{HalfApplied, InstallationError};
pub use installed::{installed_add_on, installed_root};
pub use kind::{Kind, ObjectName};
pub use permission::Permission;
pub use verifiers::{serves_trust_bundles, verifier_namespaces};

use std::future::Future;
use std::time::Duration;

use kube::core::DynamicObject;

use self::apply::{DesiredObject, desired};
use self::inventory::inventory;
use self::lease::with_lease;
use self::namespace::Namespaces;
use self::removal::Removal;
use self::waiting::ReadinessWait;
use crate::api_server::ApiServer;
use crate::manifests::SOFTWARE_PLATFORM;

/// Receives a line of text for each change while the installer waits.
pub type Progress = dyn Fn(&str) + Send + Sync;

/// Changes the installation of a cluster.
pub struct Installer {
    /// The cluster.
    pub api_server: ApiServer,
    /// The holder of the Lease, for messages to others; different for each process.
    pub holder: String,
    /// The maximum wait for pods to become ready, or to end.
    pub timeout: Duration,
    /// Receives progress.
    pub progress: Box<Progress>,
}

impl Installer {
    /// Applies these objects in their order and removes all others of the add-on. With `wait`,
    /// returns when all their pods are ready. Stops early when `stop` is ready.
    ///
    /// The software platform's root is never removed.
    ///
    /// # Errors
    /// Before any change: missing permissions, a concurrent installation, or a terminating
    /// namespace. Later: the API server fails, or pods do not become ready in time.
    pub async fn install(
        &self,
        objects: &[DynamicObject],
        wait: bool,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        let desired = desired(objects)?;
        self.check_permissions(objects).await?;
        let work = async {
            let done = self.apply_and_prune(&desired).await?;
            if wait {
                (self.progress)(&format!("{}; waiting for pods", summary(&done)));
                self.wait(&desired).await?;
            }
            Ok(done)
        };
        with_lease(&self.api_server, &self.holder, stop, work).await
    }

    /// Checks the permissions to install these objects, as [`install`](Self::install) does.
    ///
    /// # Errors
    /// All missing permissions.
    pub async fn check_permissions(
        &self,
        objects: &[DynamicObject],
    ) -> Result<(), InstallationError> {
        let names: Vec<_> = desired(objects)?.into_iter().map(|desired| desired.name).collect();
        let needed = permissions::to_install(&names);
        permissions::check(&self.api_server, &needed, &permissions::given(objects)).await
    }

    /// The changes that [`install`](Self::install) would make.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn preview(
        &self,
        objects: &[DynamicObject],
    ) -> Result<Vec<Preview>, InstallationError> {
        let desired = desired(objects)?;
        let mut previews = Vec::new();
        for desired in &desired {
            let (outcome, difference) = apply::preview(&self.api_server, desired).await?;
            previews.push(Preview { object: desired.name.clone(), outcome, difference });
        }
        let obsolete = obsolete(inventory(&self.api_server).await?, &desired);
        previews.extend(obsolete.into_iter().map(|object| Preview {
            object,
            outcome: ObjectOutcome::Removed,
            difference: String::new(),
        }));
        Ok(previews)
    }

    /// Removes the whole add-on and waits until it is gone: pods, their namespace unless others use
    /// it, and EPC in the nodes' status. Applications keep running. Stops early when `stop` is
    /// ready. Returns nothing if nothing was installed.
    ///
    /// # Errors
    /// Before any change: missing permissions, or a concurrent installation. Later: the API server
    /// fails, or objects are not gone in time; another run finds the rest.
    pub async fn uninstall(
        &self,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        permissions::check(&self.api_server, &permissions::to_find(), &[]).await?;
        let installed = inventory(&self.api_server).await?;
        permissions::check(&self.api_server, &permissions::to_remove(&installed), &[]).await?;
        let work = async {
            let done = self.remove(inventory(&self.api_server).await?).await?;
            for found in node_resources::find(&self.api_server).await? {
                node_resources::remove(&self.api_server, &found).await?;
                (self.progress)(&format!("{}: EPC is no longer in its status", found.node));
            }
            Ok(done)
        };
        with_lease(&self.api_server, &self.holder, stop, work).await
    }

    /// All objects that [`uninstall`](Self::uninstall) would remove.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn installed(&self) -> Result<Vec<ObjectName>, InstallationError> {
        inventory(&self.api_server).await
    }

    async fn apply_and_prune(
        &self,
        desired: &[DesiredObject<'_>],
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        apply::check(&self.api_server, desired).await?;
        let mut done = apply::apply(&self.api_server, desired, &self.removal()).await?;
        let obsolete = obsolete(inventory(&self.api_server).await?, desired);
        done.extend(self.remove(obsolete).await?);
        Ok(done)
    }

    /// Removes these objects, and then their namespaces unless others use them.
    async fn remove(
        &self,
        objects: Vec<ObjectName>,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        let is_namespace = |object: &ObjectName| object.kind.name() == "Namespace";
        let (namespaces, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_namespace);
        self.removal().remove(&objects).await?;
        let namespaces = Namespaces::sort(&self.api_server, namespaces).await?;
        self.removal().remove(&namespaces.unused).await?;
        let removed = objects.into_iter().chain(namespaces.unused);
        let removed =
            removed.map(|object| AppliedObject { object, outcome: ObjectOutcome::Removed });
        let used = namespaces.used.into_iter();
        let used = used.map(|object| AppliedObject { object, outcome: ObjectOutcome::InUse });
        Ok(removed.chain(used).collect())
    }

    async fn wait(&self, desired: &[DesiredObject<'_>]) -> Result<(), InstallationError> {
        let (api_server, progress) = (&self.api_server, &*self.progress);
        let waiting = ReadinessWait { api_server, progress, timeout: self.timeout };
        let running = desired.iter().map(|desired| &desired.name).filter(|it| it.kind.runs_pods());
        waiting.until_ready(&running.cloned().collect::<Vec<_>>()).await
    }

    fn removal(&self) -> Removal<'_> {
        Removal { api_server: &self.api_server, progress: &*self.progress, timeout: self.timeout }
    }
}

/// For instance `2 created, 15 unchanged`.
fn summary(done: &[AppliedObject]) -> String {
    let outcomes = [
        (ObjectOutcome::Created, "created"),
        (ObjectOutcome::Changed, "changed"),
        (ObjectOutcome::Removed, "removed"),
        (ObjectOutcome::Unchanged, "unchanged"),
    ];
    let counted = outcomes
        .map(|(outcome, word)| (done.iter().filter(|done| done.outcome == outcome).count(), word));
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// The present objects that are not desired, except the software platform's root and its namespace:
/// the root is generated once, and verifiers trust it.
fn obsolete(present: Vec<ObjectName>, desired: &[DesiredObject<'_>]) -> Vec<ObjectName> {
    let is_root = |object: &ObjectName| object.is("Secret", SOFTWARE_PLATFORM);
    let is_root_wanted = desired.iter().any(|desired| is_root(&desired.name));
    let root = present.iter().find(|object| is_root(object) && !is_root_wanted).cloned();
    let namespace = root.as_ref().and_then(|root| root.namespace.as_deref());
    let kept = [namespace.map(ObjectName::namespace), root];
    let is_kept = |object: &ObjectName| {
        desired.iter().any(|desired| desired.name == *object)
            || kept.iter().flatten().any(|it| it == object)
    };
    present.into_iter().filter(|object| !is_kept(object)).collect()
}
