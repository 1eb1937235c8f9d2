//! `platform tcb`: rehearses a TCB recovery on the software platform.

mod state;

use std::path::Path;

use clap::{Args, ValueEnum};
use software_platform::{MicrocodeError, PublishedTcb, SoftwarePlatform, StateError};
use time::OffsetDateTime;

use super::StateDir;
use crate::output::{self, Format};
pub(super) use state::TcbState;

#[derive(Debug, Args)]
pub(crate) struct Tcb {
    #[command(flatten)]
    state: StateDir,

    #[command(flatten)]
    change: Change,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

/// The change; at most one.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Change {
    /// Publishes a TCB recovery: machines without one more microcode update become OutOfDate.
    #[arg(long)]
    raise: bool,

    /// Updates this machine's microcode to the newest level, which changes its attestation key and
    /// PCK certificate.
    #[arg(long)]
    update: bool,

    /// Revokes this machine's PCK certificate, or the TCB level that it reaches.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        default_missing_value = "certificate"
    )]
    revoke: Option<Revocation>,

    /// Backdates all collateral issued from now on, so that it is expired.
    #[arg(long)]
    expire: bool,

    /// Reverts everything that was published, and this machine's microcode updates.
    #[arg(long)]
    reset: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Revocation {
    /// This machine's PCK certificate, in the CRL of the PCK CA.
    Certificate,
    /// The TCB level of this machine, in the TCB info: revokes all machines at it.
    Level,
}

impl Tcb {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let platform = self.change.apply(&self.state.path()?)?;
        output::result(self.output, &TcbState::of(&platform, OffsetDateTime::now_utc())?)
    }
}

impl Change {
    fn apply(&self, directory: &Path) -> Result<SoftwarePlatform, StateError> {
        if self.update {
            SoftwarePlatform::update_microcode(directory)
        } else if self.reset {
            SoftwarePlatform::reset_tcb(directory)
        } else if self.raise || self.expire || self.revoke.is_some() {
            SoftwarePlatform::publish_tcb(directory, |platform, tcb| self.publish(platform, tcb))
        } else {
            SoftwarePlatform::open_to_read(directory)
        }
    }

    fn publish(
        &self,
        platform: &SoftwarePlatform,
        tcb: &mut PublishedTcb,
    ) -> Result<(), MicrocodeError> {
        match self.revoke {
            Some(Revocation::Certificate) => {
                tcb.revoke_certificate(*platform.pck_certificate().serial());
            }
            Some(Revocation::Level) => tcb.revoke_level(platform.microcode()),
            None if self.expire => tcb.expire(),
            None => tcb.raise(OffsetDateTime::now_utc())?,
        }
        Ok(())
    }
}
