//! The sockets that systemd, or who else starts services in its way, has for this one. See
//! sd_listen_fds(3).

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use anyhow::{Context, bail, ensure};
use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

/// The sockets that the service manager has opened for this service.
#[derive(Debug, Default)]
pub(super) struct Activation {
    /// The socket that clients connect to.
    pub(super) listener: Option<UnixListener>,
    /// The others, for HTTP.
    pub(super) tcp: Vec<TcpListener>,
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
