//! The end of a service.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The end of a service, which several wait for.
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// When the process gets SIGTERM or SIGINT.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
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

    /// Waits for it.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopped = self.0.clone();
        async move {
            // A sender that is gone can tell of no signal any more: then it is over, too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }
}
