//! Notifications to systemd, or another service manager with its protocol. See sd_notify(3).

use std::env::{var, var_os};
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::{debug, warn};

/// The service manager, if the environment names one. Clones share its socket.
#[derive(Debug, Clone)]
pub(crate) struct ServiceManager {
    // Connected at the start, so that nothing is opened later.
    socket: Option<Arc<UnixDatagram>>,
    is_ready: Arc<AtomicBool>,
}

impl ServiceManager {
    pub(crate) fn from_environment() -> Self {
        let address = var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty());
        let socket = address.and_then(|address| {
            let connected = connect(&address);
            if let Err(error) = &connected {
                warn!(%error, socket = %address.display(), "cannot connect to the service manager");
            }
            connected.ok().map(Arc::new)
        });
        Self { socket, is_ready: Arc::default() }
    }

    /// Clients are served.
    pub(crate) fn ready(&self, status: &str) {
        self.is_ready.store(true, Ordering::Relaxed);
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The service reloads its settings, until [`ServiceManager::reloaded`]. Not sent before
    /// [`ServiceManager::ready`].
    pub(crate) fn reloading(&self, status: &str) {
        if !self.is_ready.load(Ordering::Relaxed) {
            return;
        }
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = i128::from(now.tv_sec)
            .saturating_mul(1_000_000)
            .saturating_add(i128::from(now.tv_nsec) / 1_000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS={status}"));
    }

    /// The reload is complete, or has failed and the old settings remain.
    pub(crate) fn reloaded(&self, status: &str) {
        if self.is_ready.load(Ordering::Relaxed) {
            self.ready(status);
        }
    }

    pub(crate) fn stopping(&self, status: &str) {
        self.is_ready.store(false, Ordering::Relaxed);
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    pub(crate) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// Failures are not errors.
    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            debug!(%error, "cannot notify the service manager");
        }
    }
}

fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// The timeout of the service manager's watchdog, if it has one for this process.
pub(crate) fn watchdog_time() -> Option<Duration> {
    let is_other = var("WATCHDOG_PID").is_ok_and(|pid| pid != std::process::id().to_string());
    let time: u64 = var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (time >= 2 && !is_other).then(|| Duration::from_micros(time))
}
