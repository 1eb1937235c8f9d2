//! The sandbox of the service and its workers: they write where they have to, and nowhere else.
//!
//! It is the kernel's Landlock: no rights are needed for it, and whoever has it on cannot take it off. Reading stays as it
//! is, since nobody knows all the files that Intel's libraries, name look-up and TLS read.

mod intel_caches;
mod places;

use std::env::var_os;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use tracing::{info, warn};

use self::places::Places;
use crate::settings::Settings;

/// What is asked of the kernel, at the most: that of Linux 6.15. Older ones do what they can.
const NEWEST: ABI = ABI::V7;

/// What has become of the sandbox, to be told as soon as there is a log.
#[must_use]
pub(super) struct Sandbox {
    outcome: Outcome,
    places: Places,
}

enum Outcome {
    Unwanted,
    Refused(RulesetError),
    Entered(RestrictionStatus),
}

/// Confines this thread and all threads and processes that it starts from now on, so that it must be the first one, even
/// before that of the log. Directories that are going to be written are made, since the kernel goes by what is there.
///
/// # Errors
/// When a directory cannot be made. That the kernel has no sandbox is none, but a warning.
pub(super) fn enter(settings: &Settings, config: Option<&Path>) -> anyhow::Result<Sandbox> {
    if !settings.sandbox() {
        return Ok(Sandbox { outcome: Outcome::Unwanted, places: Places::default() });
    }
    let places = Places::of(settings, config)?;
    let outcome = restrict(&places.writable).map_or_else(Outcome::Refused, Outcome::Entered);
    Ok(Sandbox { outcome, places })
}

impl Sandbox {
    /// Tells what there is, and what there is not.
    pub(super) fn tell(&self) {
        for path in &self.places.missing {
            let path = path.display();
            warn!(%path, "there is no such path, so nothing can be written there; make it, and restart the service");
        }
        match &self.outcome {
            Outcome::Unwanted => warn!("the sandbox is off, as the settings say"),
            Outcome::Refused(error) => {
                warn!(%error, "there is no sandbox, since the kernel refuses");
            }
            Outcome::Entered(status) => self.tell_status(status),
        }
    }

    fn tell_status(&self, status: &RestrictionStatus) {
        let abi = match status.landlock {
            LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
            _ => 0,
        };
        let writable = self.places.to_string();
        match status.ruleset {
            RulesetStatus::FullyEnforced => info!(landlock = abi, writable, "in the sandbox"),
            RulesetStatus::PartiallyEnforced => {
                let next = abi.saturating_add(1);
                warn!(
                    landlock = abi,
                    writable,
                    "in the sandbox as far as this kernel has it: what Landlock has since ABI {next} is missing"
                );
            }
            RulesetStatus::NotEnforced => {
                warn!(
                    "there is no sandbox: this kernel has no Landlock, or it is not in its list `lsm=`"
                );
            }
        }
    }
}

fn restrict(places: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    let write = AccessFs::from_write(NEWEST);
    Ruleset::default()
        .handle_access(write)?
        .scope(scopes())?
        .create()?
        .add_rules(path_beneath_rules(places, write))?
        .restrict_self()
}

/// No signals to processes outside of the sandbox and, unless the service manager listens at one, no connections to
/// abstract sockets there.
fn scopes() -> BitFlags<Scope> {
    let notified = var_os("NOTIFY_SOCKET").is_some_and(|name| name.as_bytes().starts_with(b"@"));
    if notified { Scope::Signal.into() } else { Scope::from_all(NEWEST) }
}
