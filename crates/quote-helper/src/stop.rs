//! The end of a service: at SIGTERM and SIGINT, and not at SIGHUP.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the end may take for those who wait for it.
const GRACE: Duration = Duration::from_secs(3);

/// The end of a service, which several wait for. Clones are the same end.
#[derive(Clone)]
pub(crate) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// When the process gets SIGTERM or SIGINT. SIGHUP does not end it from now on, so that the end
    /// of a terminal, or a reload that comes early, takes no server down.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
        drop(signal(SignalKind::hangup())?);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = Arc::new(watch::Sender::new(false));
        let sender = Arc::clone(&stop);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
        });
        Ok(Self(stop))
    }

    /// Begins it without a signal.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Begins it, and waits until those who wait for it have ended.
    pub(crate) async fn finish(&self) {
        self.begin();
        let _ = timeout(GRACE, self.0.closed()).await;
    }

    /// Waits for it.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopped = self.0.subscribe();
        async move {
            // A sender that is gone can tell of no signal any more: then it is over, too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }
}
