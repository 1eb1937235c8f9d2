//! Why an installation is not as it should be.

use std::time::Duration;

use super::kind::ObjectName;
use super::permission::{self, Permission};
use crate::api_server::ApiError;
use crate::pod_problem::PodProblem;

/// Why nothing was done, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The API server did not do its part.
    #[error("cannot {doing}: {source}")]
    Api {
        /// What was to be done.
        doing: String,
        /// What came of it.
        source: ApiError,
    },
    /// We may not do all that has to be done. Nothing has been changed.
    #[error(
        "these permissions are missing; nothing was changed:{}\nwhoever administers the cluster can grant them, \
         for instance with the ClusterRole cluster-admin",
        lines(&permission::grouped(.0))
    )]
    MissingPermissions(Vec<Permission>),
    /// The namespace is on its way out.
    #[error(
        "the namespace {0} is being deleted; nothing was changed. Wait until it is gone (kubectl get namespace \
         {0}), or choose another one with --namespace"
    )]
    NamespaceTerminating(String),
    /// Somebody else is at it.
    #[error(
        "{holder} is installing, changing or removing the add-on since {since}; nothing was changed. Wait for \
         it to end; if it has died, its claim ends 30 seconds after its last sign of life"
    )]
    LeaseHeld {
        /// Who it is, as they have put it.
        holder: String,
        /// Since when, as RFC 3339 has it.
        since: String,
    },
    /// We were away for so long that somebody else may be at it.
    #[error(
        "the claim on the installation was lost: {0}. What was done stays; run the command again to finish it"
    )]
    LeaseLost(String),
    /// We were reported to stop.
    #[error("interrupted. What was done stays; run the command again to finish it")]
    Interrupted,
    /// There is another root of the software platform than the one that was to be installed.
    #[error(
        "{0} holds another root than the one to be installed: somebody else has just made it. Nothing was \
         changed; run the command again to go on with theirs"
    )]
    RootConflict(ObjectName),
    /// It ended between two objects.
    #[error(transparent)]
    HalfApplied(Box<HalfApplied>),
    /// Pods are not ready in time.
    #[error(
        "not ready within {}:{}{}\nWhat was installed stays, and may become ready yet; --timeout waits longer",
        seconds(.timeout), lines(.workloads), lines(.pods)
    )]
    NotReady {
        /// For how long it was waited.
        timeout: Duration,
        /// What is not ready, and how far it is.
        workloads: Vec<String>,
        /// Its pods that are not ready.
        pods: Vec<PodProblem>,
    },
    /// Objects are there still.
    #[error(
        "not gone within {}:{}\nThey are being deleted; run the command again to wait on, and see kubectl \
         describe for what holds them",
        seconds(.timeout), lines(.left)
    )]
    DeletionTimeout {
        /// For how long it was waited.
        timeout: Duration,
        /// What is there still.
        left: Vec<ObjectName>,
    },
    /// The settings of an earlier installation cannot be made use of.
    #[error("{settings} cannot be read: {cause}; install again with all options that are desired")]
    Settings {
        /// The ConfigMap.
        settings: ObjectName,
        /// What is wrong with it.
        cause: String,
    },
    /// The root of the software platform is damaged.
    #[error(
        "{0} holds no whole root of the software platform. Nothing was changed: a new one would break with \
         all who trust the old one. Restore it, or delete the Secret to have a new one made"
    )]
    DamagedRoot(ObjectName),
    /// There is more than one of what there should be one.
    #[error(
        "there is more than one installation: {}. Remove them with `quote-helper uninstall`, and install again",
        joined(.0)
    )]
    SeveralInstallations(Vec<ObjectName>),
    /// It is none of the kinds that an installation is made of.
    #[error("{0} is no object that can be installed")]
    UnknownObject(String),
}

/// An installation that ended between two objects.
#[derive(Debug, thiserror::Error)]
#[error(
    "{failed} cannot be applied: {source}\napplied before: {}\nnot tried: {}\nNothing was removed; mend it and \
     run the command again",
    joined(.applied), joined(.left)
)]
pub struct HalfApplied {
    /// Objects that are as they should be.
    pub applied: Vec<ObjectName>,
    /// The one that is not.
    pub failed: ObjectName,
    /// Objects that were not tried.
    pub left: Vec<ObjectName>,
    /// Why it failed.
    pub source: ApiError,
}

/// Says what was to be done when the API server did not do it.
pub(super) trait ApiContext<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, InstallationError>;
}

impl<T> ApiContext<T> for Result<T, ApiError> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, InstallationError> {
        self.map_err(|source| InstallationError::Api { doing: doing(), source })
    }
}

/// For how many seconds, as people say it.
pub(super) fn seconds(duration: &Duration) -> String {
    match duration.as_secs() {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

fn lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {}", item.to_string())).collect()
}

fn joined(names: &[ObjectName]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
