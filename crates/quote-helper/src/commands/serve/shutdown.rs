//! The end of a service, from when it serves until its process may exit.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use anyhow::bail;
use service::Metrics;
use sockets::handover::{HandoverCounters, SocketLoss, Successor};
use sockets::{SocketEnd, SocketSource};
use tokio::sync::oneshot;
use tracing::info;

use super::health::Health;
use crate::service_manager::ServiceManager;
use crate::settings::AfterHandOver;
use crate::shutdown::Shutdown;

/// The state of a service that is ready, for the service manager and the log.
pub(super) const SERVING: &str = "serving quotes";

/// A service that is about to serve, and the parties that are told about it.
pub(super) struct Serving {
    pub(super) health: Health,
    pub(super) manager: ServiceManager,
    pub(super) shutdown: Shutdown,
    pub(super) socket: PathBuf,
    pub(super) after_hand_over: AfterHandOver,
}

/// The listening sockets, for a successor.
pub(super) struct OwnedSockets {
    pub(super) source: SocketSource,
    pub(super) listener: UnixListener,
    pub(super) http: Vec<TcpListener>,
}

/// The work after the last client is served.
pub(super) struct Cleanup {
    end: oneshot::Receiver<SocketEnd>,
    manager: ServiceManager,
    shutdown: Shutdown,
    socket: PathBuf,
}

impl Serving {
    /// Returns the future that ends the service, and the work after it.
    pub(super) fn split(
        self,
        sockets: OwnedSockets,
        metrics: &Metrics,
    ) -> (impl Future<Output = service::StopReason> + Send + 'static, Cleanup) {
        let (manager, shutdown, socket) =
            (self.manager.clone(), self.shutdown.clone(), self.socket.clone());
        let counters = HandoverCounters::default();
        metrics.register(|registry| counters.register(registry));
        let (sender, end) = oneshot::channel();
        let until_end = async move {
            let end = self.until_end(sockets, &counters).await;
            let stop = stop_of(&end);
            // Nobody receives it if the service has failed.
            let _ = sender.send(end);
            stop
        };
        (until_end, Cleanup { end, manager, shutdown, socket })
    }

    /// Announces that clients are served, waits for the end, and announces that.
    async fn until_end(self, sockets: OwnedSockets, counters: &HandoverCounters) -> SocketEnd {
        let Self { health, manager, shutdown, socket, after_hand_over } = self;
        let OwnedSockets { source, listener, http } = sockets;
        let end = match source.start_serving(listener, http, counters).await {
            Ok(serving) => {
                health.serving();
                manager.ready(SERVING);
                info!(socket = %socket.display(), "{SERVING}");
                serving.until_end(shutdown.begun()).await
            }
            Err(refused) => SocketEnd::TakeoverRefused(refused),
        };
        health.leaving(reason(&end));
        let waits =
            after_hand_over == AfterHandOver::Wait && matches!(end, SocketEnd::HandedOver(_));
        if !waits {
            manager.stopping(reason(&end));
            shutdown.begin();
        }
        end
    }
}

impl Cleanup {
    /// Waits for SIGTERM after a hand-over, if the settings say so, and stops the servers.
    ///
    /// # Errors
    /// If the service must be started again.
    pub(super) async fn finish(self) -> anyhow::Result<()> {
        let end = self.end.await;
        if let Ok(SocketEnd::HandedOver(successor)) = &end
            && !self.shutdown.has_begun()
        {
            wait_after_handover(&self.shutdown, &self.manager, successor).await?;
        }
        self.shutdown.finish().await;
        match end {
            Ok(SocketEnd::TakeoverRefused(refused)) => Err(refused.into()),
            Ok(SocketEnd::Lost(SocketLoss::Replaced)) => bail!(
                "{} was removed, or replaced by another service's socket, so clients cannot connect \
                 to this one; start it again",
                self.socket.display()
            ),
            Ok(SocketEnd::Lost(SocketLoss::OutOfUse)) => bail!(
                "a process that got the listening sockets of {} has disabled one of them; start \
                 this instance again, and it makes new ones",
                self.socket.display()
            ),
            _ => {
                info!("stopped");
                Ok(())
            }
        }
    }
}

async fn wait_after_handover(
    shutdown: &Shutdown,
    manager: &ServiceManager,
    successor: &Successor,
) -> anyhow::Result<()> {
    info!("handed over; waiting for SIGTERM");
    tokio::select! {
        () = shutdown.begun() => {
            manager.stopping("handed over");
            Ok(())
        }
        () = successor.wait_until_vacant() => {
            bail!("the successor is gone; start this instance again to serve")
        }
    }
}

/// The treatment of clients that are connected.
fn stop_of(end: &SocketEnd) -> service::StopReason {
    match end {
        SocketEnd::Closed | SocketEnd::Lost(_) => service::StopReason::Closed,
        SocketEnd::Kept | SocketEnd::HandedOver(_) | SocketEnd::TakeoverRefused(_) => {
            service::StopReason::HandedOver
        }
    }
}

/// The reason of the end, for probes and the service manager.
fn reason(end: &SocketEnd) -> &'static str {
    match end {
        SocketEnd::Closed | SocketEnd::Kept => "the service is stopping",
        SocketEnd::HandedOver(_) => "another instance serves",
        SocketEnd::Lost(SocketLoss::Replaced) => "the socket's file is gone",
        SocketEnd::Lost(SocketLoss::OutOfUse) => "another process has disabled the socket",
        SocketEnd::TakeoverRefused(_) => "the predecessor continues to serve",
    }
}
