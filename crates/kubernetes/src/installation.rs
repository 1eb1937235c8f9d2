//! Makes a cluster have the objects of an installation, and removes them again.
//!
//! What belongs to an installation is known by its labels, in whatever namespace it is: what an earlier version or
//! other settings have left is found without any record of it. Who does it holds a Lease
//! meanwhile, so that nobody else does.

mod apply;
mod comparison;
mod error;
mod installed;
mod inventory;
mod kind;
mod lock;
mod namespace;
mod node_resources;
mod objects;
mod removal;
mod right;
mod rights;
mod rollout;
mod waiting;

pub use error::{HalfApplied, InstallationError};
pub use installed::{installed_add_on, installed_root};
pub use kind::{Kind, ObjectName};
pub use right::Right;

use std::future::Future;
use std::time::Duration;

use kube::core::DynamicObject;

use self::apply::{Wanted, wanted};
use self::inventory::inventory;
use self::lock::exclusively;
use self::namespace::Namespaces;
use self::removal::Removal;
use self::waiting::Waiting;
use crate::api_server::ApiServer;
use crate::manifests::SOFTWARE_PLATFORM;

/// Hears, in one line each, what changes while it is waited.
pub type Progress = dyn Fn(&str) + Send + Sync;

/// Who changes an installation, and how.
pub struct Installer {
    /// The cluster.
    pub api_server: ApiServer,
    /// Who it is, for others who want to do the same at the same time; different for each process.
    pub holder: String,
    /// How long it is waited for pods to be ready, or to be gone.
    pub timeout: Duration,
    /// Hears how it goes.
    pub progress: Box<Progress>,
}

/// What has become of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which one.
    pub object: ObjectName,
    /// What it is now.
    pub outcome: Outcome,
}

/// What has become of an object, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there before.
    Created,
    /// It was there in another form.
    Changed,
    /// It was there in this form.
    Unchanged,
    /// It is there no more.
    Removed,
    /// It is a namespace that others have made. It is used, and neither changed nor removed.
    NotOurs,
    /// It is our namespace, and stays since others have something in it.
    InUse,
}

/// How an object would change.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Which one.
    pub object: ObjectName,
    /// What would become of it.
    pub outcome: Outcome,
    /// The change as a unified diff of YAML; empty if there is none. No value of a Secret is in it.
    pub difference: String,
}

impl Installer {
    /// Makes the cluster have these objects, which are in an order in which they can be made, and nothing else of
    /// ours. With `wait`, it returns when all their pods are ready. It ends early when `stop` is ready.
    ///
    /// The root of a software platform stays even if it is not among the objects.
    ///
    /// # Errors
    /// If rights are missing, somebody else is at it, or a namespace is going away, and nothing was changed; or
    /// if the API server failed half-way, or pods do not become ready in time.
    pub async fn install(
        &self,
        objects: &[DynamicObject],
        wait: bool,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<Done>, InstallationError> {
        let wanted = wanted(objects)?;
        self.check_rights(objects).await?;
        let work = async {
            let done = self.apply_and_prune(&wanted).await?;
            if wait {
                (self.progress)(&format!("{}; waiting for pods", summary(&done)));
                self.wait(&wanted).await?;
            }
            Ok(done)
        };
        exclusively(&self.api_server, &self.holder, stop, work).await
    }

    /// Looks whether we may install these objects; [`install`](Self::install) does so itself.
    ///
    /// # Errors
    /// With all rights that are missing.
    pub async fn check_rights(&self, objects: &[DynamicObject]) -> Result<(), InstallationError> {
        let names: Vec<_> = wanted(objects)?.into_iter().map(|wanted| wanted.name).collect();
        let needed = rights::to_install(&names);
        rights::check(&self.api_server, &needed, &rights::given(objects)).await
    }

    /// What [`install`](Self::install) would do, without doing it.
    ///
    /// # Errors
    /// If the API server cannot be asked.
    pub async fn preview(
        &self,
        objects: &[DynamicObject],
    ) -> Result<Vec<Preview>, InstallationError> {
        let wanted = wanted(objects)?;
        let mut previews = Vec::new();
        for wanted in &wanted {
            let (outcome, difference) = apply::preview(&self.api_server, wanted).await?;
            previews.push(Preview { object: wanted.name.clone(), outcome, difference });
        }
        let obsolete = obsolete(inventory(&self.api_server).await?, &wanted);
        previews.extend(obsolete.into_iter().map(|object| Preview {
            object,
            outcome: Outcome::Removed,
            difference: String::new(),
        }));
        Ok(previews)
    }

    /// Removes everything that is ours, and waits until it is gone: pods, their namespace if nobody else has
    /// something in it, and EPC that was counted in the nodes' status. Applications go on. It ends early when
    /// `stop` is ready. Nothing is returned if nothing was there.
    ///
    /// # Errors
    /// If rights are missing or somebody else is at it, and nothing was changed; or if the API server failed
    /// half-way, or something is not gone in time. What is left is found the next time.
    pub async fn uninstall(
        &self,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<Done>, InstallationError> {
        rights::check(&self.api_server, &rights::to_find(), &[]).await?;
        let installed = inventory(&self.api_server).await?;
        rights::check(&self.api_server, &rights::to_remove(&installed), &[]).await?;
        let work = async {
            let done = self.remove(inventory(&self.api_server).await?).await?;
            for found in node_resources::find(&self.api_server).await? {
                node_resources::remove(&self.api_server, &found).await?;
                (self.progress)(&format!("{}: EPC is no longer in its status", found.node));
            }
            Ok(done)
        };
        exclusively(&self.api_server, &self.holder, stop, work).await
    }

    /// Everything that [`uninstall`](Self::uninstall) would remove.
    ///
    /// # Errors
    /// If the API server cannot be asked.
    pub async fn installed(&self) -> Result<Vec<ObjectName>, InstallationError> {
        inventory(&self.api_server).await
    }

    async fn apply_and_prune(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Done>, InstallationError> {
        apply::check(&self.api_server, wanted).await?;
        let mut done = apply::apply(&self.api_server, wanted, &self.removal()).await?;
        let obsolete = obsolete(inventory(&self.api_server).await?, wanted);
        done.extend(self.remove(obsolete).await?);
        Ok(done)
    }

    /// Removes these objects, namespaces when everything else is gone and if nobody else uses them.
    async fn remove(&self, objects: Vec<ObjectName>) -> Result<Vec<Done>, InstallationError> {
        let is_namespace = |object: &ObjectName| object.kind.name() == "Namespace";
        let (namespaces, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_namespace);
        self.removal().remove(&objects).await?;
        let namespaces = Namespaces::sort(&self.api_server, namespaces).await?;
        self.removal().remove(&namespaces.unused).await?;
        let removed = objects.into_iter().chain(namespaces.unused);
        let removed = removed.map(|object| Done { object, outcome: Outcome::Removed });
        let used = namespaces.used.into_iter();
        let used = used.map(|object| Done { object, outcome: Outcome::InUse });
        Ok(removed.chain(used).collect())
    }

    async fn wait(&self, wanted: &[Wanted<'_>]) -> Result<(), InstallationError> {
        let (api_server, progress) = (&self.api_server, &*self.progress);
        let waiting = Waiting { api_server, progress, timeout: self.timeout };
        let running = wanted.iter().map(|wanted| &wanted.name).filter(|it| it.kind.runs_pods());
        waiting.until_ready(&running.cloned().collect::<Vec<_>>()).await
    }

    fn removal(&self) -> Removal<'_> {
        Removal { api_server: &self.api_server, progress: &*self.progress, timeout: self.timeout }
    }
}

/// For instance `2 created, 15 unchanged`.
fn summary(done: &[Done]) -> String {
    let outcomes = [
        (Outcome::Created, "created"),
        (Outcome::Changed, "changed"),
        (Outcome::Removed, "removed"),
        (Outcome::Unchanged, "unchanged"),
    ];
    let counted = outcomes
        .map(|(outcome, word)| (done.iter().filter(|done| done.outcome == outcome).count(), word));
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// What of the objects that are there is not wanted any more. The only root of a software platform is not among
/// them, nor its namespace: it is made once, and others trust it.
fn obsolete(present: Vec<ObjectName>, wanted: &[Wanted<'_>]) -> Vec<ObjectName> {
    let is_root = |object: &ObjectName| object.is("Secret", SOFTWARE_PLATFORM);
    let is_root_wanted = wanted.iter().any(|wanted| is_root(&wanted.name));
    let root = present.iter().find(|object| is_root(object) && !is_root_wanted).cloned();
    let namespace = root.as_ref().and_then(|root| root.namespace.as_deref());
    let kept = [namespace.map(ObjectName::namespace), root];
    let is_kept = |object: &ObjectName| {
        wanted.iter().any(|wanted| wanted.name == *object)
            || kept.iter().flatten().any(|it| it == object)
    };
    present.into_iter().filter(|object| !is_kept(object)).collect()
}
