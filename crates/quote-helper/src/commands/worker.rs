//! `worker`: makes quotes for the service that has started it.

use std::io::stdin;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use quoting::{DcapQuoter, Quoter, QuotingError, SoftwareQuoter};
use sgx::AesmError;
use software_platform::SoftwarePlatform;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::server_process::harden;
use crate::settings::CertificationData;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Quotes with Intel's QE and PCE, through this library.
    #[arg(long, value_name = "LIBRARY", required_unless_present = "state_dir")]
    dcap_library: Option<PathBuf>,

    /// Quotes on the software platform whose keys are kept here.
    #[arg(long, value_name = "PATH", conflicts_with = "dcap_library")]
    state_dir: Option<PathBuf>,

    /// What quotes of the software platform carry as certification data.
    #[arg(long, value_enum, default_value = "pck-certificate-chain")]
    certification_data: CertificationData,
}

/// Runs the command: the service is at the other end of standard input.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The library in here is foreign code, and has no business in other people's files.
    harden()?;
    leave_signals_to_the_service()?;
    let service = UnixStream::from(stdin().as_fd().try_clone_to_owned()?);
    Ok(service::run_worker(service, || arguments.open())?)
}

/// What a terminal or a service manager sends to all processes is for the service to act on. A worker
/// ends when its service does, or lets go of it.
fn leave_signals_to_the_service() -> std::io::Result<()> {
    // Signals that have been listened for once do not end the process any more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _context = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        drop(signal(kind)?);
    }
    Ok(())
}

impl Arguments {
    fn open(&self) -> Result<Box<dyn Quoter>, QuotingError> {
        match (&self.dcap_library, &self.state_dir) {
            (Some(library), _) => Ok(Box::new(DcapQuoter::open(library)?)),
            (None, Some(state_dir)) => self.open_software(state_dir),
            (None, None) => {
                Err(QuotingError::new(AesmError::Parameter, "the worker has no platform"))
            }
        }
    }

    fn open_software(&self, state_dir: &Path) -> Result<Box<dyn Quoter>, QuotingError> {
        let unusable = |error: String| QuotingError::new(AesmError::InterfaceUnavailable, error);
        let platform = SoftwarePlatform::open(state_dir)
            .map_err(|error| unusable(error.to_string()))?
            .certified_by(self.certification_data.into())
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Box::new(SoftwareQuoter::new(Arc::new(platform))))
    }
}
