//! Changes the installation from one revision to the next, or back.

use super::applied_object::{AppliedObject, ObjectOutcome};
use super::apply::{self, DesiredObject, desired, namespace};
use super::dry_run;
use super::error::{Consequence, InstallationError};
use super::history::History;
use super::inventory::inventory;
use super::prune::obsolete;
use super::restored::restored;
use super::revision::{Revision, RevisionStatus, recorded};
use super::snapshot::snapshot;
use super::{Installer, summary};

/// The behavior of a change.
#[derive(Debug, Clone, Copy)]
pub struct ChangeOptions {
    /// Returns when all pods are ready, and fails if they are not in time.
    pub wait: bool,
    /// Restores the revision before if the change fails.
    pub rollback: bool,
}

/// A change from one revision to the next.
pub(super) struct Change<'a> {
    pub(super) installer: &'a Installer,
    pub(super) desired: &'a [DesiredObject<'a>],
    pub(super) options: ChangeOptions,
    /// The number of the revision that is being restored.
    pub(super) rollback_to: Option<u32>,
}

impl Change<'_> {
    /// Makes the change. Nothing is changed if the cluster rejects an object.
    ///
    /// Obsolete objects are removed last, so that they serve until their successors are ready.
    pub(super) async fn run(&self) -> Result<Vec<AppliedObject>, InstallationError> {
        let Self { installer, desired, options, .. } = *self;
        let api_server = &installer.api_server;
        apply::check(api_server, desired).await?;
        let mut history = self.history().await?;
        let created = dry_run::check(api_server, desired, &installer.removal()).await?;
        let begun = self.begin(&mut history).await?;
        let applied = async {
            let done = apply::apply(api_server, desired, &created, &installer.removal()).await?;
            if options.wait {
                (installer.progress)(&format!("{}; waiting for pods", summary(&done)));
                installer.wait(desired).await?;
            }
            Ok(done)
        };
        let mut done = match applied.await {
            Ok(done) => done,
            Err(cause) => return Err(self.failed(history, begun, cause).await),
        };
        if let Some(number) = begun {
            history.set(number, RevisionStatus::Deployed);
            history.save(api_server, namespace(desired)).await?;
        }
        done.extend(self.prune(desired, self.rollback_to.is_some()).await?);
        Ok(done)
    }

    /// Removes the objects that are not desired.
    async fn prune(
        &self,
        desired: &[DesiredObject<'_>],
        keeps_secrets: bool,
    ) -> Result<Vec<AppliedObject>, InstallationError> {
        let mut obsolete = obsolete(inventory(&self.installer.api_server).await?, desired);
        obsolete.retain(|object| !keeps_secrets || object.kind.name() != "Secret");
        self.installer.remove(obsolete).await
    }

    /// The recorded revisions. What an earlier version installed is recorded as the first.
    async fn history(&self) -> Result<History, InstallationError> {
        let installer = self.installer;
        let mut history = History::load(&installer.api_server).await?;
        if history.revisions().next().is_none() {
            let installed = inventory(&installer.api_server).await?;
            let objects = snapshot(&installer.api_server, &installed).await?;
            if !objects.is_empty() {
                history.add(&objects, RevisionStatus::Deployed, None)?;
            }
        }
        if let Some(unfinished) = history.unfinished() {
            let state = self.state_of(&history, unfinished).await?;
            (installer.progress)(&format!("found an unfinished change: {state}; going on"));
        }
        Ok(history)
    }

    /// The number of the revision's objects that the cluster has.
    async fn state_of(
        &self,
        history: &History,
        revision: &Revision,
    ) -> Result<String, InstallationError> {
        let objects = history.objects(revision.number)?;
        let desired = desired(&objects)?;
        let mut present = 0_usize;
        for object in &desired {
            let preview = apply::preview(&self.installer.api_server, object).await;
            let is_present =
                matches!(preview, Ok((ObjectOutcome::Unchanged | ObjectOutcome::Unmanaged, _)));
            present = present.saturating_add(usize::from(is_present));
        }
        Ok(format!("{revision} has {present} of {} objects in place", desired.len()))
    }

    /// Records the revision as pending; nothing if it is the deployed one again.
    async fn begin(&self, history: &mut History) -> Result<Option<u32>, InstallationError> {
        let objects: Vec<_> = self.desired.iter().map(|desired| desired.object.clone()).collect();
        if let (Some(deployed), None) = (history.deployed(), history.unfinished())
            && history.objects(deployed.number)? == recorded(&objects)
        {
            return Ok(None);
        }
        let number = history.add(&objects, RevisionStatus::Pending, self.rollback_to)?;
        history.save(&self.installer.api_server, namespace(self.desired)).await?;
        Ok(Some(number))
    }

    /// Restores the revision before, if it is there and may be.
    async fn failed(
        &self,
        mut history: History,
        begun: Option<u32>,
        cause: InstallationError,
    ) -> InstallationError {
        let installer = self.installer;
        let cause = Box::new(cause);
        let Some(number) = begun else {
            // The deployed revision itself.
            return *cause;
        };
        let previous = history.deployed().cloned();
        let (status, namespace, consequence) = match previous {
            None => (
                RevisionStatus::Failed,
                namespace(self.desired).to_owned(),
                Consequence::FirstInstallation,
            ),
            Some(previous) if !self.options.rollback => (
                RevisionStatus::Failed,
                namespace(self.desired).to_owned(),
                Consequence::Kept(previous),
            ),
            Some(previous) => {
                let cause = cause.to_string();
                let line = cause.lines().next().unwrap_or_default().trim_end_matches(':');
                (installer.progress)(&format!("{line}; rolling back to {previous}"));
                match self.restore(&history, previous.number).await {
                    Ok(namespace) => {
                        (RevisionStatus::RolledBack, namespace, Consequence::RolledBack(previous))
                    }
                    Err(error) => (
                        RevisionStatus::Failed,
                        namespace(self.desired).to_owned(),
                        Consequence::RollbackFailed { revision: previous, error: Box::new(error) },
                    ),
                }
            }
        };
        history.set(number, status);
        if let Err(error) = history.save(&installer.api_server, &namespace).await {
            (installer.progress)(&format!("warning: {error}"));
        }
        InstallationError::ChangeFailed { cause, consequence }
    }

    /// Applies the objects of a revision and removes those that it did not have. Returns its
    /// namespace.
    async fn restore(&self, history: &History, number: u32) -> Result<String, InstallationError> {
        let installer = self.installer;
        let api_server = &installer.api_server;
        let objects = restored(api_server, history.objects(number)?).await?;
        let desired = desired(&objects)?;
        apply::apply(api_server, &desired, &[], &installer.removal()).await?;
        if self.options.wait {
            installer.wait(&desired).await?;
        }
        self.prune(&desired, true).await?;
        Ok(namespace(&desired).to_owned())
    }
}
