//! Installs the objects of the add-on in a cluster, and removes them.
//!
//! Objects are identified by their labels in all namespaces, so that leftovers of earlier versions
//! and settings are found without a record. A Lease prevents concurrent changes. The objects of the
//! last revisions are recorded, so that a change that fails can be taken back.

mod applied_object;
mod apply;
mod change;
mod comparison;
mod dry_run;
mod error;
mod helm;
pub mod helm_hook;
mod helm_release;
mod history;
mod installed;
mod installer_role;
mod inventory;
mod kind;
mod lease;
mod namespace;
mod node_resources;
mod objects;
mod permission;
mod permissions;
mod prune;
mod removal;
mod restored;
mod revision;
mod rollout;
mod snapshot;
mod verifiers;
mod waiting;

pub use applied_object::{AppliedObject, ObjectOutcome, Preview};
pub use change::ChangeOptions;
pub use error::{Consequence, Denial, HalfApplied, InstallationError};
pub use helm_release::HelmRelease;
pub use installed::{installed_add_on, installed_root};
pub use installer_role::{INSTALLER_ROLE, installer_role};
pub use kind::{Kind, ObjectName};
pub use permission::Permission;
pub use revision::{Revision, RevisionStatus};
pub use verifiers::{serves_trust_bundles, verifier_namespaces};

use std::future::Future;
use std::time::Duration;

use kube::core::DynamicObject;

use self::apply::{DesiredObject, desired};
use self::change::Change;
use self::history::History;
use self::inventory::inventory;
use self::lease::with_lease;
use self::namespace::Namespaces;
use self::prune::obsolete;
use self::removal::Removal;
use self::restored::restored;
use self::waiting::ReadinessWait;
use crate::api_server::ApiServer;

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

/// A recorded revision to return to.
#[derive(Debug)]
pub struct RollbackTarget {
    /// The revision.
    pub revision: Revision,
    /// Its objects, without Secrets.
    pub objects: Vec<DynamicObject>,
}

impl Installer {
    /// Applies these objects in their order and removes all others of the add-on. Stops early when
    /// `stop` is ready.
    ///
    /// The software platform's root is never removed.
    ///
    /// # Errors
    /// Before any change: missing permissions, a concurrent installation, a terminating namespace,
    /// or objects that the cluster does not know or rejects. Later, as
    /// [`InstallationError::ChangeFailed`]: the API server fails, or pods do not become ready in
    /// time.
    pub async fn install(
        &self,
        objects: &[DynamicObject],
        options: ChangeOptions,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        let desired = desired(objects)?;
        self.check_permissions(objects).await?;
        let change = Change { installer: self, desired: &desired, options, rollback_to: None };
        with_lease(&self.api_server, &self.holder, stop, change.run()).await
    }

    /// Restores a recorded revision, as [`install`](Self::install) does. It is not taken back if it
    /// fails.
    ///
    /// # Errors
    /// Those of [`install`](Self::install), and if the revision is damaged.
    pub async fn rollback(
        &self,
        target: &RollbackTarget,
        wait: bool,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        let desired = desired(&target.objects)?;
        self.check_permissions(&target.objects).await?;
        let options = ChangeOptions { wait, rollback: false };
        let rollback_to = Some(target.revision.number);
        let change = Change { installer: self, desired: &desired, options, rollback_to };
        with_lease(&self.api_server, &self.holder, stop, change.run()).await
    }

    /// The recorded revision of this number; else the one that was deployed before, or before a
    /// change that failed or was interrupted.
    ///
    /// # Errors
    /// If there is none, or a request fails.
    pub async fn rollback_target(
        &self,
        number: Option<u32>,
    ) -> Result<RollbackTarget, InstallationError> {
        helm::refuse(&self.api_server).await?;
        let history = History::load(&self.api_server).await?;
        let revision = history.rollback_target(number)?.clone();
        let objects = restored(&self.api_server, history.objects(revision.number)?).await?;
        Ok(RollbackTarget { revision, objects })
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
        helm::refuse(&self.api_server).await?;
        let desired = desired(objects)?;
        apply::check_kinds(&self.api_server, &desired).await?;
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
    /// it, and EPC, label and condition of the nodes. Applications keep running. Stops early when
    /// `stop` is ready. Returns nothing if nothing was installed.
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
        if installed.is_empty() {
            helm::refuse(&self.api_server).await?;
        }
        permissions::check(&self.api_server, &permissions::to_remove(&installed), &[]).await?;
        let work = async {
            let done = self.remove(inventory(&self.api_server).await?).await?;
            for found in node_resources::find(&self.api_server).await? {
                node_resources::remove(&self.api_server, &found).await?;
                (self.progress)(&format!(
                    "{}: its EPC, label and condition are removed",
                    found.node
                ));
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
