//! `platform tcb`: TCB recovery, rehearsed on the software platform.

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

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

/// One thing at a time, as it happens to real platforms.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Change {
    /// Publishes a TCB recovery: one more microcode update is needed to be up to date. Machines
    /// without it are OutOfDate.
    #[arg(long)]
    raise: bool,

    /// Updates this machine's microcode to what is published. Its attestation key and PCK certificate
    /// are other ones from then on.
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
    revoke: Option<Revoked>,

    /// Has all collateral issued from now on dated back, so that it has expired.
    #[arg(long)]
    expire: bool,

    /// Takes everything back: what is published, and this machine's microcode updates.
    #[arg(long)]
    reset: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Revoked {
    /// This machine's PCK certificate, in the CRL of the PCK CA.
    Certificate,
    /// The TCB level that this machine reaches, in the TCB info, and so all machines at it.
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
            Some(Revoked::Certificate) => {
                tcb.revoke_certificate(*platform.pck_certificate().serial());
            }
            Some(Revoked::Level) => tcb.revoke_level(platform.microcode()),
            None if self.expire => tcb.expire(),
            None => tcb.raise(OffsetDateTime::now_utc())?,
        }
        Ok(())
    }
}
