//! `serve`: serves quotes to the applications of this machine.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use collateral::SoftwareCollateral;
use quoting::SoftwareQuoter;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::{BoundSocket, Metrics};
use software_platform::{CertificationKind, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::failure::Failure;
use crate::logging::{self, LogFormat};
use crate::settings::{CertificationData, Platform, Settings, default_socket, default_state_dir};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file [default: /etc/quote-helper/config.toml if it is there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = arguments.settings.complete(arguments.config.as_deref())?;
    logging::start(settings.log_format.unwrap_or(LogFormat::Text));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(serve(&settings))?)
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let platform = open_platform(settings)?;
    let socket = settings.socket.clone().map_or_else(default_socket, Ok)?;
    raise_descriptor_limit();
    if let Some(address) = settings.collateral_listen {
        let collateral = SoftwareCollateral::new(Arc::clone(&platform), OffsetDateTime::now_utc);
        let listener = listen(address, "collateral").await?;
        let router = collateral::router(Arc::new(collateral));
        tokio::spawn(http_server::serve(listener, router, stop.stopped()));
    }
    let metrics = Metrics::new("software");
    if let Some(address) = settings.metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics.router(), stop.stopped()));
    }
    let (bound, listener) = BoundSocket::listen(&socket)?;
    info!(socket = %socket.display(), "serving quotes");
    let stopped = stop.stopped();
    let stop = async move {
        stopped.await;
        // From now on new clients find nobody here, or whoever has taken the path.
        drop(bound);
    };
    let quoter = Arc::new(SoftwareQuoter::new(platform));
    service::serve(listener, quoter, settings.limits(), metrics, stop).await?;
    info!("stopped");
    Ok(())
}

/// Opens the software platform, the only one that this version knows, and says so loudly.
fn open_platform(settings: &Settings) -> anyhow::Result<Arc<SoftwarePlatform>> {
    let hardware = Path::new("/dev/sgx_enclave").exists();
    if hardware && settings.platform.unwrap_or(Platform::Auto) == Platform::Auto {
        bail!(
            "this machine has SGX, which this version does not quote with yet; pass --platform \
             software to serve insecure quotes of the software platform all the same"
        );
    }
    let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
    let now = OffsetDateTime::now_utc();
    let kind = match settings.certification_data {
        Some(CertificationData::EncryptedPpid) => CertificationKind::EncryptedPpid,
        Some(CertificationData::PckCertificateChain) | None => {
            CertificationKind::PckCertificateChain
        }
    };
    let platform = SoftwarePlatform::open_or_init(&state_dir, SubjectNames::Software, now)?
        .certified_by(kind)?;
    warn!(
        state_dir = %state_dir.display(),
        "INSECURE: quotes come from the software platform. They prove nothing to anybody who does \
         not trust its root by choice"
    );
    Ok(Arc::new(platform))
}

/// As many connections as the system allows: the usual soft limit is for programs that use select().
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(%error, "cannot raise the limit of open files; fewer clients can connect at once");
    }
}

async fn listen(address: SocketAddr, what: &'static str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot serve {what} at {address}"))?;
    info!(address = %listener.local_addr()?, "serving {what}");
    Ok(listener)
}

/// The end of the service, which several wait for.
struct Stop(watch::Receiver<bool>);

impl Stop {
    fn on_signals() -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
        });
        Ok(Self(receiver))
    }

    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopped = self.0.clone();
        async move {
            // A sender that is gone can tell of no signal any more: then it is over, too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }
}
