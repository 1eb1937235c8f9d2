//! A software platform, and a service with its collateral.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use test_support::c_programs::Program;

use collateral_server::{ServingCertificate, SoftwareCollateral};
use rustls::ServerConfig;
use sgx::ReportData;
use software_platform::{
    Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A platform, and a directory for the files of C programs.
pub(crate) struct Platform {
    directory: TempDir,
    pub(crate) software: Arc<SoftwarePlatform>,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let deployment =
            Deployment::from_seed([7; 32], SubjectNames::Software, OffsetDateTime::now_utc());
        let secret = MachineSecret::from_bytes([9; 32]);
        let software = SoftwarePlatform::new(deployment.unwrap(), secret).unwrap();
        let platform =
            Self { directory: tempfile::tempdir().unwrap(), software: Arc::new(software) };
        platform.write("root.pem", platform.software.root_certificate().pem().as_bytes());
        platform.write("platform.bin", &platform.description());
        platform
    }

    /// In the format of `tests/c/platform.h`.
    fn description(&self) -> Vec<u8> {
        let subject = self.software.pck_subject();
        let mut bytes = self.software.qe_id().to_vec();
        bytes.extend(subject.cpu_svn.0);
        bytes.extend(subject.pce_svn.to_le_bytes());
        bytes.extend(subject.pce_id);
        bytes.extend(subject.fmspc);
        bytes.extend(self.software.encrypted_ppid());
        bytes
    }

    pub(crate) fn quote(&self) -> Vec<u8> {
        let application = SoftwareEnclave::new(EnclaveIdentity::default());
        let report = application.report(&self.software.target_info(), ReportData([5; 64]));
        self.software.quote(&report, None).unwrap().0
    }

    /// The program, which trusts this platform's root, and asks the service at this address for
    /// what is not in the cache of this platform.
    pub(crate) fn command(&self, program: &Program, service: SocketAddr) -> Command {
        let mut command = self.command_without_sources(program);
        command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{service}"));
        command
    }

    pub(crate) fn command_without_sources(&self, program: &Program) -> Command {
        let mut command = program.command();
        command
            .arg(self.directory.path())
            .env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", self.path("root.pem"))
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", self.cache());
        command
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// The file of the cache with the platform's PCK certificate.
    pub(crate) fn pck_file(&self) -> PathBuf {
        let files = std::fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        let is_pck = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("pck-certificate-") && name.ends_with(".json")
        };
        files.into_iter().find(is_pck).expect("a PCK certificate in the cache")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Serves this platform until the result is dropped.
    pub(crate) fn serve(&self) -> Service {
        self.serve_with(None)
    }

    /// As [`serve`](Self::serve) over TLS, with a certificate for this host in the file `tls.pem`.
    pub(crate) fn serve_tls(&self, host: &str) -> Service {
        let certified = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        self.write("tls.pem", certified.cert.pem().as_bytes());
        self.write("tls.key", certified.signing_key.serialize_pem().as_bytes());
        let certificate = ServingCertificate::read(&self.path("tls.pem"), &self.path("tls.key"));
        self.serve_with(Some(Arc::new(certificate.unwrap().config().unwrap())))
    }

    fn serve_with(&self, tls: Option<Arc<ServerConfig>>) -> Service {
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
                match tls {
                    Some(tls) => http_server::serve_tls(listener, tls, router, stop).await,
                    None => http_server::serve(listener, router, stop).await,
                }
            });
        });
        Service { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
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

/// An address at which nothing listens.
pub(crate) fn unused_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
