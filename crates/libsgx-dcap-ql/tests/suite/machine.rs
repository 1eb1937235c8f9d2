//! A machine with a software platform, and a service if one is started.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use test_support::c_programs::Program;

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::QuoteVerifier;
use quoting::{QUOTE_HELPER_PLATFORM, QUOTE_HELPER_STATE_DIR, SGX_AESM_ADDR, SoftwareQuoter};
use service::{Metrics, Rules, StopReason, serve};
use sgx::{IntoBytes, QeReportInfo, Quote, Report, ReportData};
use sockets::BoundSocket;
use software_platform::{EnclaveIdentity, SoftwareEnclave, SoftwarePlatform, SubjectNames};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// The mode of the libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    InProcess,
    Service,
}

pub(crate) struct Machine {
    directory: TempDir,
    platform: Arc<SoftwarePlatform>,
}

impl Machine {
    /// A machine on whose disk is what the C programs read.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let state = directory.path().join("state");
        let platform = SoftwarePlatform::open_or_init(&state, SubjectNames::Software, now);
        let machine = Self { directory, platform: Arc::new(platform.unwrap()) };
        machine.write("report.bin", machine.report().as_bytes());
        machine.write("app_target_info.bin", application().target_info().as_bytes());
        machine
    }

    /// The program in this mode, with the machine's directory as its argument.
    pub(crate) fn command(&self, program: &Program, mode: Mode) -> Command {
        let mut command = program.command();
        command
            .arg(self.directory.path())
            .env(QUOTE_HELPER_PLATFORM, "software")
            .env(QUOTE_HELPER_STATE_DIR, self.path("state"));
        if mode == Mode::Service {
            command.env(SGX_AESM_ADDR, self.socket());
        }
        command
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("aesm.socket")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn report(&self) -> Report {
        application().report(&self.platform.target_info(), ReportData([5; 64]))
    }

    /// A service on this machine's platform, until it is dropped.
    pub(crate) fn serve(&self) -> Service {
        let quoter = Arc::new(SoftwareQuoter::new(Arc::clone(&self.platform)));
        let (bound, listener) = BoundSocket::listen(&self.socket()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                ready.send(()).unwrap();
                let stop = async move {
                    let _ = stopped.await;
                    drop(bound);
                    StopReason::Closed
                };
                let metrics = Metrics::new("test");
                serve(listener, quoter, Rules::default().fixed(), metrics, stop).await.unwrap();
            });
        });
        started.recv().unwrap();
        Service { stop: Some(stop), thread: Some(thread) }
    }

    /// The file holds a quote of this machine, which others accept.
    pub(crate) fn accepts_quote(&self, name: &str) {
        let bytes = self.read(name);
        assert_eq!(Quote::parse(&bytes).unwrap().body, self.report().body.into(), "{name}");
        let now = OffsetDateTime::now_utc();
        let issue = self.platform.deployment().up_to_date(&self.platform.pck_subject(), now);
        let collateral = serde_json::to_string(&self.platform.collateral(&issue).unwrap()).unwrap();
        let collateral: QuoteCollateralV3 = serde_json::from_str(&collateral).unwrap();
        let verified = QuoteVerifier::new(self.platform.root_certificate().der().to_vec())
            .verify(&bytes, &collateral, now.unix_timestamp().try_into().unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(verified.status, "UpToDate", "{name}");
    }

    /// The file holds QE report info by which the application knows the QE.
    pub(crate) fn accepts_qe_report_info(&self, name: &str) {
        let info: QeReportInfo = sgx::parse("QE report info", &self.read(name)).unwrap();
        application().verify_report(&info.qe_report).unwrap();
        assert_eq!(info.nonce, [3; 16]);
        assert_eq!(info.qe_report.body.mr_enclave, self.platform.target_info().mr_enclave);
    }
}

/// A running service.
pub(crate) struct Service {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }
}

fn application() -> SoftwareEnclave {
    SoftwareEnclave::new(EnclaveIdentity::default())
}
