//! A thread that exits the process if the serving thread is stuck, so that it is restarted.
//!
//! The serving thread does everything else, signals included: stuck in a system call, it could
//! neither stop nor report that.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::error;

use crate::runtime::runtime;
use crate::service_manager::{ServiceManager, watchdog_time};

/// The longest interval of heartbeats of the serving thread, and of checks.
const PERIOD: Duration = Duration::from_secs(1);
/// The time without a heartbeat after which it counts as stuck.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// The same after SIGTERM or SIGINT.
const MAX_SILENCE_AT_END: Duration = Duration::from_secs(3);
/// The time for the log's thread to write the reason.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Watches the thread of this runtime from another one, and reports to the service manager if it
/// has a watchdog for this process.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn start(manager: ServiceManager) -> io::Result<()> {
    let watchdog_time = watchdog_time();
    // Often enough for the service manager's watchdog, too.
    let time = watchdog_time.map_or(PERIOD, |time| PERIOD.min(time.mul_f64(0.25)));
    let manager = watchdog_time.map(|_| manager);
    let beats = Arc::new(AtomicU64::new(0));
    tokio::spawn(beat(Arc::clone(&beats), time));
    let runtime = runtime()?;
    let watchdog = move || {
        let Err(error) = runtime.block_on(watch(&beats, time, manager.as_ref()));
        error!(%error, "the watchdog has failed");
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(watchdog)?;
    Ok(())
}

async fn beat(beats: Arc<AtomicU64>, time: Duration) {
    let mut period = period(time);
    loop {
        period.tick().await;
        beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// Watches until the process ends, and exits it if the thread is stuck.
async fn watch(
    beats: &AtomicU64,
    time: Duration,
    manager: Option<&ServiceManager>,
) -> io::Result<Infallible> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (mut period, mut seen) = (period(time), 0);
    let (mut silence, mut allowed) = (Duration::ZERO, MAX_SILENCE);
    loop {
        tokio::select! {
            _ = terminate.recv() => allowed = MAX_SILENCE_AT_END,
            _ = interrupt.recv() => allowed = MAX_SILENCE_AT_END,
            _ = period.tick() => {
                let beats = beats.load(Ordering::Relaxed);
                if beats != seen {
                    (seen, silence) = (beats, Duration::ZERO);
                    if let Some(manager) = manager {
                        manager.alive();
                    }
                    continue;
                }
                // By periods, since a process that was stopped was not silent.
                silence = silence.saturating_add(time);
                if silence > allowed {
                    error!(?silence, "the thread that serves is stuck; exiting, to be restarted");
                    tokio::time::sleep(LAST_WORDS).await;
                    end();
                }
            }
        }
    }
}

#[allow(clippy::exit, reason = "the thread that would return from main is stuck")]
fn end() -> ! {
    std::process::exit(1)
}

fn period(time: Duration) -> Interval {
    let mut period = interval(time);
    // A process that was stopped has missed nothing.
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    period
}
