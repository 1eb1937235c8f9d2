//! Errors of an installation.

use std::fmt;
use std::time::Duration;

use super::helm_release::HelmRelease;
use super::kind::ObjectName;
use super::permission::{self, Permission};
use super::revision::Revision;
use crate::api_server::ApiError;
use crate::pod_problem::PodProblem;

/// An installation or a removal that failed. The message may have several lines.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// A request failed.
    #[error("cannot {doing}: {}", line(.source))]
    Api {
        /// The action.
        doing: String,
        /// The cause.
        source: ApiError,
    },
    /// Permissions are missing; nothing was changed.
    #[error(
        "missing permissions; nothing was changed:{}\nask a cluster administrator to grant them, \
         for instance with the ClusterRole of `quote-helper manifests --installer-role`",
        lines(&permission::grouped(.0))
    )]
    MissingPermissions(Vec<Permission>),
    /// The namespace is being deleted.
    #[error(
        "the namespace {0} is being deleted; nothing was changed. Wait until it is gone (kubectl \
         get namespace {0}), or choose another one with --namespace"
    )]
    NamespaceTerminating(String),
    /// An object is of a kind that the cluster does not have.
    #[error(
        "the cluster does not have the kind {kind}, so {0} cannot be applied; nothing was changed. \
         The Prometheus operator defines it: install that first, or leave the object out with \
         --pod-monitor false",
        kind = kind(.0)
    )]
    UnknownKind(ObjectName),
    /// A concurrent installation.
    #[error(
        "{} has been installing, changing or removing the add-on since {since}; nothing was \
         changed. Wait until it ends; if it has died, its lease expires after 30 seconds",
        line(.holder)
    )]
    LeaseHeld {
        /// The other holder.
        holder: String,
        /// The time at which it started, as in RFC 3339.
        since: String,
    },
    /// The Lease expired, so that another installation may have started.
    #[error(
        "the lease of the installation was lost: {0}. Changes so far stay; run the command again \
         to finish it"
    )]
    LeaseLost(String),
    /// It was told to stop.
    #[error(
        "interrupted. Changes so far stay; run the command again to finish it, or `quote-helper \
         rollback` to return to the revision before"
    )]
    Interrupted,
    /// Another root of the software platform exists than the one to install.
    #[error(
        "{0} holds another root than the one to be installed: somebody else has just created it. \
         Nothing was changed; run the command again to use that root"
    )]
    RootConflict(ObjectName),
    /// It failed after some objects.
    #[error(transparent)]
    HalfApplied(Box<HalfApplied>),
    /// Objects are rejected by the API server or its admission; nothing was changed.
    #[error(
        "the cluster rejects {}; nothing was changed:{}\nchange the policies that reject them, or \
         the options, and run the command again",
        objects(.0.len()), lines(.0)
    )]
    Denied(Vec<Denial>),
    /// Pods are not ready in time.
    #[error(
        "not ready within {}:{}{}\n--timeout sets a longer wait",
        seconds(.timeout), lines(.workloads), lines(.pods)
    )]
    NotReady {
        /// The timeout.
        timeout: Duration,
        /// The workloads that are not ready, with their state.
        workloads: Vec<String>,
        /// Their pods that are not ready.
        pods: Vec<PodProblem>,
    },
    /// Objects still exist.
    #[error(
        "not gone within {}:{}\nThey are being deleted; run the command again to wait longer, and \
         see kubectl describe for what holds them",
        seconds(.timeout), lines(.left)
    )]
    DeletionTimeout {
        /// The timeout.
        timeout: Duration,
        /// The remaining objects.
        left: Vec<ObjectName>,
    },
    /// The settings of the installation are invalid.
    #[error("{settings} cannot be read: {cause}; install again with all options")]
    Settings {
        /// The ConfigMap.
        settings: ObjectName,
        /// The cause.
        cause: String,
    },
    /// The root of the software platform is incomplete.
    #[error(
        "{0} holds an incomplete root of the software platform. Nothing was changed: verifiers \
         that trust the old root would reject a new one. Restore it, or delete the Secret to \
         generate a new root"
    )]
    DamagedRoot(ObjectName),
    /// There is more than one installation.
    #[error(
        "there is more than one installation: {}. Remove them with `quote-helper uninstall`, and \
         install again",
        joined(.0)
    )]
    SeveralInstallations(Vec<ObjectName>),
    /// Helm has installed the add-on.
    #[error(
        "Helm has installed the add-on, as the release {0}; nothing was changed. Change it with \
         `helm upgrade`, or run `helm uninstall` first"
    )]
    OfHelm(HelmRelease),
    /// A change failed after it had begun.
    #[error("{cause}\n{consequence}")]
    ChangeFailed {
        /// The reason.
        cause: Box<InstallationError>,
        /// The state of the cluster.
        consequence: Consequence,
    },
    /// There is no such revision.
    #[error("{}", no_revision(.number.as_ref(), .recorded))]
    NoRevision {
        /// The revision to return to; the one before if `None`.
        number: Option<u32>,
        /// All recorded revisions.
        recorded: Vec<Revision>,
    },
    /// The recorded revisions are damaged.
    #[error(
        "the ConfigMap {config_map} cannot be used: {cause}; delete it to forget the recorded \
         revisions"
    )]
    Revisions {
        /// The ConfigMap with its namespace.
        config_map: String,
        /// The cause.
        cause: String,
    },
    /// It is of a kind that no installation has.
    #[error("{0} is of a kind that cannot be installed")]
    UnknownObject(String),
}

/// A rejected object.
#[derive(Debug)]
pub struct Denial {
    /// The object.
    pub object: ObjectName,
    /// The reason.
    pub cause: ApiError,
}

/// For instance `DaemonSet sgx/sgx-plugin: denied by the policy "no-host-paths"`.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            // Without the advice about permissions, which were checked before.
            ApiError::Forbidden(message) => write!(f, "{}: {}", self.object, line(message)),
            cause => write!(f, "{}: {}", self.object, line(cause)),
        }
    }
}

/// The state of the cluster after a change that failed.
#[derive(Debug, thiserror::Error)]
pub enum Consequence {
    /// There was nothing before.
    #[error(
        "The objects so far stay, and may become ready later: there is no earlier revision to \
         return to. Run the command again to finish it, or `quote-helper uninstall` to remove them"
    )]
    FirstInstallation,
    /// There is an earlier revision, but it was not to be restored.
    #[error(
        "The changes so far stay, and may become ready later; `quote-helper rollback` returns to \
         {0}"
    )]
    Kept(Revision),
    /// The revision before was restored.
    #[error("Rolled back: the cluster has {0} again")]
    RolledBack(Revision),
    /// The revision before could not be restored.
    #[error(
        "The rollback to {revision} failed too: {error}\nThe cluster may have objects of both; \
         `quote-helper rollback` tries again"
    )]
    RollbackFailed {
        /// The revision before.
        revision: Revision,
        /// The reason.
        error: Box<InstallationError>,
    },
}

/// An installation that failed after some objects.
#[derive(Debug, thiserror::Error)]
#[error(
    "{failed} cannot be applied: {}\napplied before: {}\nnot tried: {}",
    line(.source), joined(.applied), joined(.left)
)]
pub struct HalfApplied {
    /// The applied objects.
    pub applied: Vec<ObjectName>,
    /// The object that failed.
    pub failed: ObjectName,
    /// The objects that were not tried.
    pub left: Vec<ObjectName>,
    /// The cause.
    pub source: ApiError,
}

/// Adds the failed action to an error of the API server.
pub(super) trait ApiContext<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, InstallationError>;
}

impl<T> ApiContext<T> for Result<T, ApiError> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, InstallationError> {
        self.map_err(|source| InstallationError::Api { doing: doing(), source })
    }
}

/// The duration as text.
pub(super) fn seconds(duration: &Duration) -> String {
    match duration.as_secs() {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

/// A text of the cluster, which must not end a line of an error.
fn line(text: &impl ToString) -> String {
    printable::line(&text.to_string()).into_owned()
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

/// For instance `PodMonitor (monitoring.coreos.com/v1)`.
fn kind(object: &ObjectName) -> String {
    format!("{} ({})", object.kind.name(), object.kind.api_version())
}

fn objects(number: usize) -> String {
    match number {
        1 => "an object".to_owned(),
        number => format!("{number} objects"),
    }
}

fn no_revision(number: Option<&u32>, recorded: &[Revision]) -> String {
    let missing = match number {
        Some(number) => format!("there is no revision {number}"),
        None => "there is no revision to return to".to_owned(),
    };
    match recorded {
        [] => format!(
            "{missing}: none is recorded. The first `quote-helper upgrade` of this version records \
             what is installed; to return to an earlier image, run `quote-helper upgrade --image`"
        ),
        recorded => format!("{missing}; recorded are:{}", lines(recorded)),
    }
}
