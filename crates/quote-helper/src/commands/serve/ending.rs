//! The time of a service: from when it serves until it has come to its end.

use std::path::PathBuf;

use anyhow::bail;
use sockets::handover::{Loss, Successor};
use tokio::sync::oneshot;
use tracing::info;

use super::health::Health;
use super::listening::{End, Held};
use crate::service_manager::ServiceManager;
use crate::settings::AfterHandOver;
use crate::stop::Stop;

/// A service that is about to serve, and whom to tell about it.
pub(super) struct Serving {
    pub(super) held: Held,
    pub(super) health: Health,
    pub(super) manager: ServiceManager,
    pub(super) stop: Stop,
    pub(super) socket: PathBuf,
    pub(super) after_hand_over: AfterHandOver,
}

/// What is left to do when no client is there any more.
pub(super) struct Ending {
    end: oneshot::Receiver<End>,
    manager: ServiceManager,
    stop: Stop,
    socket: PathBuf,
}

impl Serving {
    /// What is to be awaited while clients are served, and what is to be done when that is over.
    pub(super) fn split(self) -> (impl Future<Output = service::Stop> + Send + 'static, Ending) {
        let (manager, stop, socket) =
            (self.manager.clone(), self.stop.clone(), self.socket.clone());
        let (ended, end) = oneshot::channel();
        let until_the_end = async move {
            let end = self.until_the_end().await;
            let stop = end.stop();
            // Nobody who would want to know it is a service that has failed.
            let _ = ended.send(end);
            stop
        };
        (until_the_end, Ending { end, manager, stop, socket })
    }

    /// Tells everybody that clients are served, waits until that is over, and tells that.
    async fn until_the_end(self) -> End {
        let Self { held, health, manager, stop, socket, after_hand_over } = self;
        let serving = || {
            health.serving();
            manager.ready("serving quotes");
            info!(socket = %socket.display(), "serving quotes");
        };
        let end = held.until_the_end(stop.stopped(), serving).await;
        health.leaving(end.why());
        let waits = after_hand_over == AfterHandOver::Wait && matches!(end, End::HandedOver(_));
        if !waits {
            manager.stopping(end.why());
            stop.begin();
        }
        end
    }
}

impl Ending {
    /// Waits to be told to end, if that is wanted, and ends the rest.
    ///
    /// # Errors
    /// When the service is to be started again.
    pub(super) async fn finish(self) -> anyhow::Result<()> {
        let end = self.end.await;
        if let Ok(End::HandedOver(successor)) = &end
            && !self.stop.has_begun()
        {
            wait_after_hand_over(&self.stop, &self.manager, successor).await?;
        }
        self.stop.finish().await;
        match end {
            Ok(End::Withdrawn(withdrawn)) => Err(withdrawn.into()),
            Ok(End::Lost(Loss::Displaced)) => bail!(
                "{} was removed, or replaced by another service's socket, so that no client finds this one; start it \
                 again",
                self.socket.display()
            ),
            Ok(End::Lost(Loss::OutOfUse)) => bail!(
                "a process that had asked for the listening sockets of {} has taken one of them out of use; start this \
                 instance again, and it makes new ones",
                self.socket.display()
            ),
            _ => {
                info!("stopped");
                Ok(())
            }
        }
    }
}

async fn wait_after_hand_over(
    stop: &Stop,
    manager: &ServiceManager,
    successor: &Successor,
) -> anyhow::Result<()> {
    info!("all is handed over; waiting to be told to end");
    tokio::select! {
        () = stop.stopped() => {
            manager.stopping("all is handed over");
            Ok(())
        }
        () = successor.gone() => {
            bail!("the instance that had taken over is gone; start this one again, and it serves")
        }
    }
}
