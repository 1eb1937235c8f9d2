//! The sandbox of a server and its child processes: they write to the given paths only.
//!
//! It is the kernel's Landlock, which needs no privileges and cannot be left. Reading stays
//! unrestricted, since the files that Intel's libraries, name resolution and TLS read are not
//! known.

use std::env::var_os;
use std::future::pending;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use tracing::{info, warn};

use super::replaced::KnownFiles;
use super::writable_paths::WritablePaths;

/// The newest access rights that are restricted: those of Linux 6.15. Older kernels enforce a part.
const NEWEST: ABI = ABI::V7;

/// Opened for writing by the standard library, for child processes without output.
const NULL_DEVICE: &str = "/dev/null";

pub(crate) struct Sandbox {
    confinement: Confinement,
    known: KnownFiles,
}

enum Confinement {
    TurnedOff,
    Refused(RulesetError),
    Entered(RestrictionStatus, WritablePaths),
}

impl Sandbox {
    /// Confines this thread, and all threads and processes that it starts from now on, to the files
    /// that are at these paths now. `None` turns the sandbox off.
    pub(super) fn enter(writable: Option<WritablePaths>) -> Self {
        let Some(mut writable) = writable else {
            return Self { confinement: Confinement::TurnedOff, known: KnownFiles::of(&[]) };
        };
        writable.add_existing([NULL_DEVICE]);
        let known = KnownFiles::of(&writable.paths);
        let confinement = match restrict(&writable) {
            Ok(status) => Confinement::Entered(status, writable),
            Err(error) => Confinement::Refused(error),
        };
        Self { confinement, known }
    }

    /// True if the kernel confines this process: then it can neither write outside of its paths,
    /// nor reach other processes through /proc or as a debugger, on every kernel with Landlock.
    pub(crate) fn is_enforced(&self) -> bool {
        let Confinement::Entered(status, _) = &self.confinement else { return false };
        status.ruleset != RulesetStatus::NotEnforced
    }

    /// Waits until a writable file is replaced: the kernel denies access to the new one. Waits for
    /// ever without a sandbox.
    pub(crate) async fn path_replaced(&self) -> &Path {
        match self.is_enforced() {
            true => self.known.replaced().await,
            false => pending().await,
        }
    }

    /// Logs what the kernel enforces, and what it does not.
    pub(super) fn report(&self) {
        match &self.confinement {
            Confinement::TurnedOff => warn!("the sandbox is disabled by the settings"),
            Confinement::Refused(error) => warn!(%error, "no sandbox: the kernel refuses"),
            Confinement::Entered(status, writable) => report_status(status, writable),
        }
    }
}

fn restrict(writable: &WritablePaths) -> Result<RestrictionStatus, RulesetError> {
    let write = AccessFs::from_write(NEWEST);
    Ruleset::default()
        .handle_access(write)?
        .scope(scopes())?
        .create()?
        .add_rules(path_beneath_rules(&writable.paths, write))?
        .restrict_self()
}

/// Blocks signals to processes outside of the sandbox, and connections to abstract sockets there,
/// unless the service manager listens at one.
fn scopes() -> BitFlags<Scope> {
    let notified = var_os("NOTIFY_SOCKET").is_some_and(|name| name.as_bytes().starts_with(b"@"));
    if notified { Scope::Signal.into() } else { Scope::from_all(NEWEST) }
}

fn report_status(status: &RestrictionStatus, writable: &WritablePaths) {
    for path in &writable.missing {
        let path = path.display();
        warn!(%path, "cannot make a missing path writable; create it and restart the service");
    }
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
        _ => 0,
    };
    let writable = writable.to_string();
    match status.ruleset {
        RulesetStatus::FullyEnforced => info!(landlock = abi, writable, "in the sandbox"),
        RulesetStatus::PartiallyEnforced => warn!(
            landlock = abi,
            writable,
            "in the sandbox, without the restrictions that need Landlock ABI {} or newer",
            abi.saturating_add(1),
        ),
        RulesetStatus::NotEnforced => {
            warn!("no sandbox: this kernel has no Landlock, or it is not in its list `lsm=`");
        }
    }
}
