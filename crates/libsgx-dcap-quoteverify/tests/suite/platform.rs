//! A software platform, its evidence in files of C programs, and a service with its collateral.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use collateral_server::SoftwareCollateral;
use sgx::{Collateral, ReportData};
use software_platform::{
    CollateralIssue, Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform,
    SubjectNames,
};
use tempfile::TempDir;
use test_support::c_programs::Program;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The place of the file with roots besides Intel's.
pub(crate) const ROOTS: &str = "/etc/quote-helper/quote-verification-roots.pem";

/// Makes a directory /etc with a file of roots that this process alone sees, changes it by the
/// argument 2 and runs the others.
const WITH_ROOTS: &str = "
    mount -t tmpfs -o mode=755 tmpfs /etc && mkdir -m 755 /etc/quote-helper && \
    cp \"$0\" /etc/quote-helper/quote-verification-roots.pem && \
    chmod 644 /etc/quote-helper/quote-verification-roots.pem && eval \"$1\" && shift && exec \"$@\"";

/// A platform, and a directory for the files of C programs.
pub(crate) struct Platform {
    directory: TempDir,
    pub(crate) software: Arc<SoftwarePlatform>,
    pub(crate) collateral: Collateral,
}

impl Platform {
    pub(crate) fn new() -> Self {
        Self::issuing(|_, _| ())
    }

    /// A platform whose deployment issues collateral with this change.
    pub(crate) fn issuing(change: impl FnOnce(&SoftwarePlatform, &mut CollateralIssue)) -> Self {
        let now = OffsetDateTime::now_utc();
        let deployment = Deployment::from_seed([7; 32], SubjectNames::Software, now);
        let secret = MachineSecret::from_bytes([9; 32]);
        let software = SoftwarePlatform::new(deployment.unwrap(), secret).unwrap();
        let mut issue = software.issue(now);
        change(&software, &mut issue);
        let collateral = software.collateral(&issue).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let platform = Self { directory, software: Arc::new(software), collateral };
        platform.write("root.pem", platform.software.root_certificate().pem().as_bytes());
        platform.write_evidence();
        platform
    }

    /// Writes the files that the programs read, anew after a change.
    pub(crate) fn write_evidence(&self) {
        write_evidence(self.directory.path(), &self.quote(), &self.collateral);
    }

    pub(crate) fn quote(&self) -> Vec<u8> {
        let application = SoftwareEnclave::new(EnclaveIdentity::default());
        let report = application.report(&self.software.target_info(), ReportData([5; 64]));
        self.software.quote(&report, None).unwrap().0
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The program for this platform's evidence at this time, whose process trusts its root.
    /// `None`, with a loud note, where only root can have such a process.
    pub(crate) fn command(&self, program: &Program, date: i64) -> Option<Command> {
        self.command_after(":", program, date)
    }

    /// As [`command`](Self::command), after these changes of the file of roots.
    pub(crate) fn command_after(
        &self,
        change: &str,
        program: &Program,
        date: i64,
    ) -> Option<Command> {
        if !has_own_mounts() {
            return None;
        }
        let own = program.command();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", WITH_ROOTS]).arg(self.path("root.pem")).arg(change);
        command.arg(own.get_program()).arg(self.directory.path()).arg(date.to_string());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for (name, value) in own.get_envs() {
            command.env(name, value.unwrap());
        }
        command
            .env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", self.path("root.pem"))
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", self.path("cache"));
        Some(command)
    }

    /// Serves the collateral of this platform until the result is dropped.
    pub(crate) fn serve(&self) -> Service {
        let source = SoftwareCollateral::new(Arc::clone(&self.software), OffsetDateTime::now_utc);
        let router = collateral_server::router(Arc::new(source));
        let (stop, stopped) = oneshot::channel::<()>();
        let (listening, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                let stop = async { stopped.await.unwrap_or_default() };
                http_server::serve(listener, router, stop).await;
            });
        });
        Service { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

/// Writes the files that `tests/c/evidence.h` reads.
pub(crate) fn write_evidence(directory: &Path, quote: &[u8], collateral: &Collateral) {
    let signed = |name, json: &str, signature: &[u8]| {
        format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature))
    };
    let tcb_info = signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature);
    let qe_identity =
        signed("enclaveIdentity", &collateral.qe_identity, &collateral.qe_identity_signature);
    let crls = [&collateral.root_ca_crl, &collateral.pck_crl].map(hex::encode);
    let pieces: [(&str, &[u8]); 8] = [
        ("quote.bin", quote),
        ("pck_crl_issuer_chain", collateral.pck_crl_issuer_chain.as_bytes()),
        ("root_ca_crl", crls[0].as_bytes()),
        ("pck_crl", crls[1].as_bytes()),
        ("tcb_info_issuer_chain", collateral.tcb_info_issuer_chain.as_bytes()),
        ("tcb_info", tcb_info.as_bytes()),
        ("qe_identity_issuer_chain", collateral.qe_identity_issuer_chain.as_bytes()),
        ("qe_identity", qe_identity.as_bytes()),
    ];
    for (name, bytes) in pieces {
        std::fs::write(directory.join(name), bytes).unwrap();
    }
}

/// True if this process can have a directory /etc of its own.
#[expect(clippy::print_stderr, reason = "a test that tests nothing must be seen")]
fn has_own_mounts() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let can = is_root
        && Command::new("unshare")
            .args(["--mount", "true"])
            .status()
            .is_ok_and(|status| status.success());
    if !can {
        eprintln!("SKIPPED, NOTHING IS TESTED: only root can have a file of roots");
    }
    can
}

/// A running service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }
}
