//! A service at a private socket, for the length of a conformance run.
//!
//! It has a thread, a runtime, metrics and limits of its own, and the policy that allows everybody,
//! so that the run neither disturbs applications nor counts as one of them. Its log is discarded:
//! the audit log is about callers.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::{Context, anyhow};
use aws_lc_rs::rand;
use conformance::{Conformance, Options};
use quoting::ServedQuoter;
use service::{Metrics, Rules, StopReason};
use sgx::AttestationKeyId;
use sockets::handover::PRIVATE_DIRECTORY;
use tokio::sync::oneshot;
use tracing::subscriber::{NoSubscriber, with_default};

use crate::runtime::runtime;

/// Serves the Quoter that `quoter` makes, which is called within the runtime of the service, and
/// runs every client against it. Blocks until the run is over.
///
/// # Errors
/// If the service cannot be started, or the Quoter has no attestation key.
pub(super) fn run<Q>(
    state_dir: &Path,
    quoter: Q,
    options: Options<'_>,
) -> anyhow::Result<Conformance>
where
    Q: AsyncFnOnce(Metrics) -> Arc<dyn ServedQuoter> + Send + 'static,
{
    let (socket, listener) = PrivateSocket::bind(state_dir)?;
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let service =
        move || with_default(NoSubscriber::default(), || serve(listener, quoter, &ready, stopped));
    let service = thread::Builder::new().name("conformance".to_owned()).spawn(service)?;
    // The sender is dropped if the service cannot start.
    let outcome = started.recv().is_ok().then(|| conformance::run(&socket.0, options));
    drop(stop);
    let ended = service.join().map_err(|_| anyhow!("the private service has panicked"))?;
    outcome.map_or_else(|| Err(ended.err().unwrap_or_else(|| anyhow!("it has stopped"))), Ok)
}

fn serve<Q>(
    listener: UnixListener,
    quoter: Q,
    ready: &mpsc::Sender<()>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()>
where
    Q: AsyncFnOnce(Metrics) -> Arc<dyn ServedQuoter>,
{
    runtime()?.block_on(async {
        let metrics = Metrics::new("conformance");
        let quoter = quoter(metrics.clone()).await;
        // The reason of this error would not reach a client.
        quoter.initialize(&AttestationKeyId::ecdsa_p256())?;
        let _ = ready.send(());
        let stop = async {
            let _ = stopped.await;
            StopReason::Closed
        };
        let rules = Rules::default().fixed();
        Ok(service::serve(listener, quoter, rules, metrics, stop).await?)
    })
}

/// The file of a socket that only this user and root can reach; removed when dropped.
struct PrivateSocket(PathBuf);

impl PrivateSocket {
    fn bind(state_dir: &Path) -> anyhow::Result<(Self, UnixListener)> {
        let directory = state_dir.join(PRIVATE_DIRECTORY);
        let failed = || format!("cannot make a private socket in {}", directory.display());
        private_directory::make(&directory).with_context(failed)?;
        private_directory::check(&directory)?;
        let mut number = [0; 4];
        rand::fill(&mut number).map_err(|_| anyhow!("the system gives no random bytes"))?;
        // No longer than the name of the control socket, which fits.
        let socket = Self(directory.join(format!("run-{}.socket", hex::encode(number))));
        let listener = UnixListener::bind(&socket.0).with_context(failed)?;
        Ok((socket, listener))
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        // It is missing if it could not be bound.
        let _ = fs::remove_file(&self.0);
    }
}
