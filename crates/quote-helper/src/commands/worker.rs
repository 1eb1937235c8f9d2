//! `worker`: makes quotes for the service that started it.

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

    /// Quotes on the software platform with this state directory.
    #[arg(long, value_name = "PATH", conflicts_with = "dcap_library")]
    state_dir: Option<PathBuf>,

    /// Certification data of the software platform's quotes.
    #[arg(long, value_enum, default_value = "pck-certificate-chain")]
    certification_data: CertificationData,
}

/// Runs the command: the service is at the other end of standard input.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // Intel's library is foreign code, which must not reach the files of other users.
    harden()?;
    ignore_signals()?;
    let service = UnixStream::from(stdin().as_fd().try_clone_to_owned()?);
    Ok(service::run_worker(service, || arguments.open())?)
}

/// Ignores signals that a terminal or a service manager sends to all processes: the service acts on
/// them, and a worker exits when the service closes the socket.
fn ignore_signals() -> std::io::Result<()> {
    // A signal with a handler does not end the process, even after the handler is dropped.
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
