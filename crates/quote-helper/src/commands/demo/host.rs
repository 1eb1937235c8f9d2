//! The host of the demonstration: a quote service and a collateral server, in a thread.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Context, anyhow};
use collateral_server::SoftwareCollateral;
use quoting::SoftwareQuoter;
use service::{Metrics, Rules, StopReason};
use sockets::BoundSocket;
use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::runtime::runtime;

/// A running host, until [`Host::stop`].
pub(super) struct Host {
    pub(super) socket: PathBuf,
    pub(super) pccs: String,
    pub(super) root: Vec<u8>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Host {
    /// Starts both, with keys in memory only and a socket in `directory`.
    pub(super) fn start(directory: &Path) -> anyhow::Result<Self> {
        let deployment = Deployment::generate(SubjectNames::Software, OffsetDateTime::now_utc())?;
        let platform = Arc::new(SoftwarePlatform::new(
            deployment,
            MachineSecret::generate().context("the system gives no random bytes")?,
        )?);
        let root = platform.root_certificate().der().to_vec();
        let runtime = runtime()?;
        let web =
            runtime.block_on(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        let pccs = format!("http://{}", web.local_addr()?);
        let socket = directory.join("aesm.socket");
        let (bound, listener) = BoundSocket::listen(&socket)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || serve(&runtime, platform, web, bound, listener, stopped);
        let thread = thread::Builder::new().name("quote service".to_owned()).spawn(serve)?;
        Ok(Self { socket, pccs, root, stop, thread })
    }

    /// Stops serving, and joins the thread.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow!("the quote service failed"))?
    }
}

fn serve(
    runtime: &Runtime,
    platform: Arc<SoftwarePlatform>,
    web: TcpListener,
    bound: BoundSocket,
    listener: UnixListener,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let source = Arc::new(SoftwareCollateral::new(Arc::clone(&platform), OffsetDateTime::now_utc));
    let quoter = Arc::new(SoftwareQuoter::new(platform));
    let stop = async move {
        let _ = stopped.await;
        drop(bound);
        StopReason::Closed
    };
    runtime.block_on(async {
        tokio::spawn(http_server::serve(
            web,
            collateral_server::router(source),
            std::future::pending(),
        ));
        service::serve(listener, quoter, Rules::default().fixed(), Metrics::new("demo"), stop)
            .await
            .context("the quote service failed")
    })
}
