//! systemd, or who else starts services in its way: the sockets that it has for this one, and what it
//! wants to know. See sd_listen_fds(3) and sd_notify(3).

use std::env::{var, var_os};
use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use rustix::time::{ClockId, clock_gettime};
use tracing::{debug, warn};

/// The sockets that the service manager has opened for this service.
#[derive(Debug, Default)]
pub(super) struct Activation {
    /// Where clients connect.
    pub(super) listener: Option<UnixListener>,
    /// What else there is, for HTTP.
    pub(super) tcp: Vec<TcpListener>,
}

/// Whoever has started this process, and wants to know how it is, if it does. Clones tell the same.
#[derive(Debug, Clone)]
pub(super) struct ServiceManager {
    // Connected from the beginning, so that nothing has to be opened later on.
    socket: Option<Arc<UnixDatagram>>,
}

impl Activation {
    /// Those that the environment names, which is changed: to be called while there is one thread.
    ///
    /// # Errors
    /// When there is something else than listening stream sockets, and one for clients at the most.
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let mut descriptors = ListenFd::from_env();
        let mut activation = Self::default();
        for index in 0..descriptors.len() {
            let name = || format!("socket {index} of the service manager (LISTEN_FDS)");
            if let Ok(Some(listener)) = descriptors.take_unix_listener(index) {
                ensure!(socket_acceptconn(&listener)?, "{} does not listen", name());
                if activation.listener.replace(listener).is_some() {
                    bail!(
                        "the service manager has more than one Unix socket for the service (LISTEN_FDS)"
                    );
                }
                continue;
            }
            let listener = descriptors.take_tcp_listener(index).with_context(name)?;
            let listener = listener.with_context(name)?;
            ensure!(socket_acceptconn(&listener)?, "{} does not listen", name());
            activation.tcp.push(listener);
        }
        Ok(activation)
    }
}

impl ServiceManager {
    /// The one that the environment names.
    pub(super) fn from_environment() -> Self {
        let Some(address) = var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Self { socket: None };
        };
        match connect(&address) {
            Ok(socket) => Self { socket: Some(Arc::new(socket)) },
            Err(error) => {
                warn!(%error, socket = %address.display(), "cannot talk to the service manager");
                Self { socket: None }
            }
        }
    }

    /// Clients are served.
    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The service is being renewed, until it is [`ServiceManager::ready`] again.
    pub(super) fn reloading(&self, status: &str) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = i128::from(now.tv_sec)
            .saturating_mul(1_000_000)
            .saturating_add(i128::from(now.tv_nsec) / 1_000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS={status}"));
    }

    /// The service comes to its end.
    pub(super) fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// The service is alive.
    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// A service manager that does not listen is no reason to serve nobody.
    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            debug!(%error, "the service manager does not listen");
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

/// The time in which the service has to show that it is alive, if that is asked of this process.
pub(super) fn watchdog_time() -> Option<Duration> {
    let is_other = var("WATCHDOG_PID").is_ok_and(|pid| pid != std::process::id().to_string());
    let time: u64 = var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (time >= 2 && !is_other).then(|| Duration::from_micros(time))
}
