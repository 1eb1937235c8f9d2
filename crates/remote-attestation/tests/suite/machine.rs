//! A machine on the software platform: its state and what verifiers need as files, and a quote
//! service.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use collateral_server::SoftwareCollateral;
use quoting::SoftwareQuoter;
use remote_attestation::Verifier;
use service::{Metrics, Rules};
use sgx::Collateral;
use sockets::BoundSocket;
use software_platform::{Deployment, SoftwarePlatform, SubjectNames};
use tempfile::TempDir;
use time::OffsetDateTime;
use verify::TrustedRoots;

pub(crate) struct Machine {
    directory: TempDir,
    pub(crate) platform: Arc<SoftwarePlatform>,
}

impl Machine {
    /// With the platform's state in `state`, its root in `root.pem` and collateral in
    /// `collateral.json`.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let deployment =
            Deployment::generate(SubjectNames::Software, OffsetDateTime::now_utc()).unwrap();
        let platform =
            Arc::new(SoftwarePlatform::init(&directory.path().join("state"), deployment).unwrap());
        let machine = Self { directory, platform };
        let pem = machine.platform.root_certificate().pem();
        std::fs::write(machine.path("root.pem"), pem).unwrap();
        let collateral = serde_json::to_vec(&machine.collateral()).unwrap();
        std::fs::write(machine.path("collateral.json"), collateral).unwrap();
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn quoter(&self) -> SoftwareQuoter {
        SoftwareQuoter::new(Arc::clone(&self.platform))
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let roots = TrustedRoots::parse(self.platform.root_certificate().der()).unwrap();
        Verifier { roots, collateral: self.collateral() }
    }

    fn collateral(&self) -> Collateral {
        let subject = self.platform.pck_subject();
        let issue = self.platform.deployment().up_to_date(&subject, OffsetDateTime::now_utc());
        self.platform.collateral(&issue).unwrap()
    }

    /// Serves quotes at the socket `aesmd/aesm.socket`, and collateral at the URL that this gives,
    /// for as long as the test runs.
    pub(crate) fn serve(&self) -> String {
        self.serve_at("127.0.0.1:0")
    }

    /// Does the same with collateral at this address.
    pub(crate) fn serve_at(&self, address: &str) -> String {
        std::fs::create_dir(self.path("aesmd")).unwrap();
        let (socket, quoter) = (self.path("aesmd/aesm.socket"), Arc::new(self.quoter()));
        let source = SoftwareCollateral::new(Arc::clone(&self.platform), OffsetDateTime::now_utc);
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (ready, readiness) = mpsc::channel();
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                listener.set_nonblocking(true).unwrap();
                let web = tokio::net::TcpListener::from_std(listener).unwrap();
                let (_bound, socket) = BoundSocket::listen(&socket).unwrap();
                ready.send(()).unwrap();
                let router = collateral_server::router(Arc::new(source));
                tokio::spawn(http_server::serve(web, router, std::future::pending()));
                let (rules, metrics) = (Rules::default().fixed(), Metrics::new("software"));
                service::serve(socket, quoter, rules, metrics, std::future::pending()).await
            })
        });
        readiness.recv().unwrap();
        url
    }

    /// The program with the arguments of this line, which trusts the root; quotes come from the
    /// service.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remote-attestation"));
        command.args(line.split_whitespace()).current_dir(&self.directory).env_clear();
        command.env("SGX_AESM_ADDR", self.path("aesmd/aesm.socket"));
        command.env("REMOTE_ATTESTATION_TRUSTED_ROOT", "root.pem");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The same, but with quotes made by the program itself.
    pub(crate) fn command_in_process(&self, line: &str) -> Command {
        let mut command = self.command(line);
        command.env_remove("SGX_AESM_ADDR");
        command.env("QUOTE_HELPER_PLATFORM", "software").env("QUOTE_HELPER_STATE_DIR", "state");
        command
    }
}

/// The exit code and output of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Waits for the end. Every wait of the program has a deadline, so this one needs none.
    pub(crate) fn of(child: Child) -> Self {
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        Self { code: status.code(), stdout, stderr }
    }

    /// The rest of the line of the result that begins with this.
    #[track_caller]
    pub(crate) fn line(&self, begin: &str) -> &str {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix(begin));
        line.unwrap_or_else(|| panic!("no line begins with {begin:?}: {self:?}"))
    }
}

/// A free address.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Both ends of the program.
pub(crate) fn run_both(alice: &mut Command, bob: &mut Command) -> [Ended; 2] {
    let children = [alice.spawn().unwrap(), bob.spawn().unwrap()];
    children.map(Ended::of)
}
