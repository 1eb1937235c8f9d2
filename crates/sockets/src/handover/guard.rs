//! Keeps listening sockets from blocking the thread that accepts, against a hostile successor.
//!
//! A descriptor that was sent to a successor leads to the same open file description, whose flags
//! both can change: without `O_NONBLOCK` accept(2) waits for a client. So another thread checks and
//! restores the flags, and interrupts the accept. If the flags change repeatedly, or a socket is
//! shut down, the instance must end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::{error, warn};

/// The interval of checks.
const PERIOD: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// The pause after flags were changed.
const PAUSE: Duration = Duration::from_millis(20);
/// The number of changes in a row that count as intended.
const MAX_CHANGES: u32 = 10;
/// Interrupts the thread that accepts; used for nothing else.
const WAKE: Signal = Signal::URG;

/// Guards these listening sockets, which the first thread of the process accepts from, until the
/// process ends. The receiver gets a message when a socket can no longer be used.
pub(super) fn start(listeners: Vec<OwnedFd>) -> io::Result<oneshot::Receiver<OutOfUse>> {
    // The handler stays: without one the kernel would discard the signal.
    drop(signal(SignalKind::from_raw(WAKE.as_raw()))?);
    let (told, out_of_use) = oneshot::channel();
    let watch = move || {
        let reason = watch(&listeners);
        error!(%reason, "another process has disabled a listening socket");
        let _ = told.send(reason);
    };
    thread::Builder::new().name("listen-guard".to_owned()).spawn(watch)?;
    Ok(out_of_use)
}

/// The reason that a listening socket can no longer be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfUse {
    #[error("it was shut down")]
    ShutDown,
    #[error("its flags were changed repeatedly")]
    Changed,
}

/// Watches until a listening socket is out of use.
fn watch(listeners: &[OwnedFd]) -> OutOfUse {
    let mut changes: u32 = 0;
    loop {
        let mut polled: Vec<_> =
            listeners.iter().map(|listener| PollFd::new(listener, PollFlags::RDHUP)).collect();
        // An interruption counts as the end of the period.
        let _ = poll(&mut polled, Some(&PERIOD));
        let is_shut_down = |polled: &PollFd<'_>| {
            polled.revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
        };
        if polled.iter().any(is_shut_down) {
            return OutOfUse::ShutDown;
        }
        if !set_non_blocking(listeners) {
            changes = 0;
            continue;
        }
        warn!("another process made a listening socket block; its flags are restored");
        changes = changes.saturating_add(1);
        if changes >= MAX_CHANGES {
            listeners.iter().for_each(close_for_all);
            return OutOfUse::Changed;
        }
        thread::sleep(PAUSE);
    }
}

/// Sets the flags that were changed, and interrupts the thread that accepts. True if any were.
fn set_non_blocking(listeners: &[OwnedFd]) -> bool {
    let set = |listener: &OwnedFd| {
        let flags = fcntl_getfl(listener).unwrap_or(OFlags::NONBLOCK);
        let is_changed = !flags.contains(OFlags::NONBLOCK);
        is_changed && fcntl_setfl(listener, flags | OFlags::NONBLOCK).is_ok()
    };
    let changed = listeners.iter().filter(|listener| set(listener)).count();
    if changed > 0 {
        // The kernel begins the interrupted call again, which then finds the flag.
        let _ = kill_process(getpid(), WAKE);
    }
    changed > 0
}

/// Ends every accept at this socket, in all processes.
fn close_for_all(listener: &OwnedFd) {
    let _ = shutdown(listener.as_fd(), Shutdown::Read);
}
