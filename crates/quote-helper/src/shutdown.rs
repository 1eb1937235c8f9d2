//! The shutdown of a service: at SIGTERM and SIGINT, and not at SIGHUP.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

/// The timeout of [`Shutdown::finish`].
const GRACE: Duration = Duration::from_secs(3);

/// The shutdown of a service, for which several tasks wait. Clones are the same.
#[derive(Clone)]
pub(crate) struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// Begins at SIGTERM or SIGINT. SIGHUP no longer ends the process, so that a closed terminal,
    /// or an early reload, takes no server down.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
        drop(signal(SignalKind::hangup())?);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let begun = Arc::new(watch::Sender::new(false));
        let sender = Arc::clone(&begun);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
        });
        Ok(Self(begun))
    }

    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Begins it, and waits until all tasks that wait for it have ended.
    pub(crate) async fn finish(&self) {
        self.begin();
        let _ = timeout(GRACE, self.0.closed()).await;
    }

    /// Waits until it begins.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut begun = self.0.subscribe();
        async move {
            // Without a sender no signal can come: then begin as well.
            let _ = begun.wait_for(|begun| *begun).await;
        }
    }
}
