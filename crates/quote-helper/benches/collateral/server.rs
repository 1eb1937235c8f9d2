//! The measured servers, each in its own process.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::routing::get;
use rustix::process::Pid;
use tempfile::TempDir;

use crate::cpu_time;
use crate::upstream::{Upstream, software_platform};

/// With this argument, the benchmark is the hello-world server.
pub(crate) const HELLO: &str = "hello-world-server";

/// Maximum time of a start.
const START: Duration = Duration::from_secs(10);

/// A running server; killed when this is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    /// The source of the collateral server.
    _upstream: Option<Upstream>,
    _directory: TempDir,
    /// The request for TCB info.
    pub(crate) tcb_info: String,
    /// The request for a PCK certificate.
    pub(crate) pck_certificate: String,
}

impl Server {
    /// The collateral server.
    pub(crate) fn collateral() -> anyhow::Result<Self> {
        let (directory, platform) = (tempfile::tempdir()?, software_platform());
        let root = directory.path().join("root.pem");
        fs::write(&root, platform.root_certificate().pem())?;
        let subject = platform.pck_subject();
        let v4 = "/sgx/certification/v4";
        let tcb_info = format!("{v4}/tcb?fmspc={}", hex::encode_upper(subject.fmspc));
        let pck_certificate = format!(
            "{v4}/pckcert?qeid={}&cpusvn={}&pcesvn={}&pceid={}",
            hex::encode_upper(platform.qe_id()),
            subject.cpu_svn,
            hex::encode(subject.pce_svn.to_le_bytes()),
            hex::encode(subject.pce_id)
        );
        let (address, upstream) = (free_address()?, Upstream::start(platform));
        let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
        command.args(["collateral", "serve"]);
        command
            .arg(format!("--listen={address}"))
            .arg(format!("--source=http://{}", upstream.address()));
        command.arg("--trusted-root").arg(root).arg("--state-dir").arg(directory.path());
        let server = Self {
            process: command.env_clear().stderr(Stdio::null()).spawn()?,
            address,
            _upstream: Some(upstream),
            _directory: directory,
            tcb_info,
            pck_certificate,
        };
        server.ready()
    }

    /// The hello-world server.
    pub(crate) fn hello() -> anyhow::Result<Self> {
        let address = free_address()?;
        let process = Command::new(std::env::current_exe()?)
            .args([HELLO.to_owned(), address.to_string()])
            .spawn()?;
        let (tcb_info, pck_certificate) = (String::new(), String::new());
        let (_upstream, _directory) = (None, tempfile::tempdir()?);
        Self { process, address, _upstream, _directory, tcb_info, pck_certificate }.ready()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        cpu_time::of_process(Pid::from_child(&self.process))
    }

    fn ready(self) -> anyhow::Result<Self> {
        let start = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            ensure!(start.elapsed() < START, "the server at {} does not start", self.address);
            thread::sleep(Duration::from_millis(5));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the hello-world server.
pub(crate) fn hello() -> anyhow::Result<()> {
    let address = std::env::args().nth(2).context("an address is missing")?;
    let router = Router::new().route("/", get(async || "hello world"));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        http_server::serve(listener, router, std::future::pending()).await;
        Ok(())
    })
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
