//! The sockets of the service: those that the service manager has, those of a predecessor, or new ones.

use std::fs::canonicalize;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::Context;
use quoting::default_state_dir;
use service::{Metrics, Stop as ServiceStop};
use sockets::SocketAccess;
use sockets::handover::{self, Claim, Control, HandoverCounters, Loss, Successor, Withdrawn};
use tracing::{info, warn};

use super::activation::Activation;
use crate::listen::Listeners;
use crate::settings::{Settings, default_socket};

/// The sockets of a service that is about to serve.
pub(super) struct Listening {
    /// Where clients connect.
    pub(super) listener: UnixListener,
    /// Its path, for people.
    pub(super) path: PathBuf,
    /// What else is listened at.
    pub(super) listeners: Listeners,
    pub(super) owner: Owner,
}

/// To whom the socket belongs.
pub(super) enum Owner {
    ServiceManager,
    ThisProcess(Box<Claim>),
}

/// Sockets that are held until the service is to stop.
pub(super) struct Held {
    owner: Owner,
    listener: UnixListener,
    http: Vec<TcpListener>,
    metrics: Metrics,
}

/// Why the service is to stop.
pub(super) enum End {
    /// It was told to; its socket is gone.
    Closed,
    /// It was told to; the service manager keeps its socket.
    Kept,
    /// A successor has its socket.
    HandedOver(Successor),
    /// No client finds it any more.
    Lost(Loss),
    /// Its predecessor goes on.
    Withdrawn(Withdrawn),
}

impl Listening {
    /// Gets the sockets. Whoever had them before still serves, until [`Held::until_the_end`].
    pub(super) async fn begin(
        settings: &Settings,
        access: SocketAccess,
        activation: Activation,
    ) -> anyhow::Result<Self> {
        if let Some(listener) = activation.listener {
            let address =
                listener.local_addr().context("the service manager's socket is unusable")?;
            let path = address.as_pathname().map(PathBuf::from).unwrap_or_default();
            warn_of_unused(settings, &path);
            let listeners = Listeners::inherited(activation.tcp, None);
            return Ok(Self { listener, path, listeners, owner: Owner::ServiceManager });
        }
        let path = settings.socket.clone().map_or_else(default_socket, Ok)?;
        let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
        let take_over = settings.take_over();
        let acquired = handover::acquire(&path, &state_dir, access, take_over).await?;
        let mut http = activation.tcp;
        http.extend(acquired.http);
        let listeners = Listeners::inherited(http, acquired.predecessor);
        let owner = Owner::ThisProcess(Box::new(acquired.claim));
        Ok(Self { listener: acquired.listener, path, listeners, owner })
    }
}

/// The service manager's socket, at `path`, is as its unit says.
fn warn_of_unused(settings: &Settings, path: &Path) {
    let is_other = |socket: &PathBuf| canonicalize(socket).ok() != canonicalize(path).ok();
    let settings = [
        ("socket", settings.socket.as_ref().is_some_and(is_other)),
        ("socket_group", settings.socket_group.is_some()),
        ("take_over", settings.take_over.is_some()),
    ];
    for (setting, _) in settings.into_iter().filter(|(_, is_unused)| *is_unused) {
        warn!(setting, "not used, since the service manager has made the socket: set it up there");
    }
}

impl Held {
    pub(super) fn new(
        owner: Owner,
        listener: &UnixListener,
        listeners: Listeners,
        metrics: &Metrics,
    ) -> io::Result<Self> {
        let (listener, http) = (listener.try_clone()?, listeners.for_successor());
        Ok(Self { owner, listener, http, metrics: metrics.clone() })
    }

    /// Waits until the service is to stop, from when clients are served. The predecessor, if there is one,
    /// stops now; then `serving` is called.
    pub(super) async fn until_the_end(
        self,
        stopped: impl Future<Output = ()>,
        serving: impl FnOnce(),
    ) -> End {
        let claim = match self.owner {
            Owner::ThisProcess(claim) => claim,
            Owner::ServiceManager => {
                serving();
                stopped.await;
                return End::Kept;
            }
        };
        let counters = HandoverCounters::default();
        self.metrics.register(|registry| counters.register(registry));
        match claim.settle(self.listener, self.http, &counters).await {
            Ok(control) => {
                serving();
                end_or_successor(control, stopped).await
            }
            Err(withdrawn) => End::Withdrawn(withdrawn),
        }
    }
}

async fn end_or_successor(mut control: Control, stopped: impl Future<Output = ()>) -> End {
    let lost = control.lost();
    let successor = tokio::select! {
        biased;
        successor = control.handed_over() => Some(successor),
        () = stopped => control.close().await,
        loss = lost => return End::Lost(loss),
    };
    match successor {
        Some(successor) => {
            info!(successor = %successor.peer, "a new instance serves; this one finishes what it has accepted");
            End::HandedOver(successor)
        }
        None => End::Closed,
    }
}

impl End {
    /// What it means for those who have connected.
    pub(super) fn stop(&self) -> ServiceStop {
        match self {
            Self::Closed | Self::Lost(_) => ServiceStop::Closed,
            Self::Kept | Self::HandedOver(_) | Self::Withdrawn(_) => ServiceStop::HandedOver,
        }
    }

    /// In words.
    pub(super) fn why(&self) -> &'static str {
        match self {
            Self::Closed | Self::Kept => "the service is stopping",
            Self::HandedOver(_) => "another instance serves",
            Self::Lost(Loss::Displaced) => "the socket's file is gone",
            Self::Lost(Loss::OutOfUse) => "another process has taken the socket out of use",
            Self::Withdrawn(_) => "another instance goes on",
        }
    }
}
