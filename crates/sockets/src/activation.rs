//! The sockets that systemd, or another service manager with its protocol, has opened for this
//! service. See sd_listen_fds(3).

use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

/// The sockets that the service manager has opened for this service.
#[derive(Debug, Default)]
pub struct Activation {
    /// The socket that clients connect to.
    pub listener: Option<UnixListener>,
    /// The others, for HTTP.
    pub http: Vec<TcpListener>,
}

/// A socket of the service manager that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// There are several Unix sockets.
    #[error("the service manager has more than one Unix socket for the service (LISTEN_FDS)")]
    SeveralUnixSockets,
    /// A descriptor is not a stream socket.
    #[error("socket {index} of the service manager (LISTEN_FDS): {source}")]
    NotASocket {
        /// Its place in the list, from 0.
        index: usize,
        /// The system's error.
        source: io::Error,
    },
    /// A socket does not listen. Its place in the list, from 0.
    #[error("socket {0} of the service manager (LISTEN_FDS) does not listen")]
    NotListening(usize),
}

impl Activation {
    /// The sockets that the environment names. Changes the environment: to be called while the
    /// process has one thread.
    ///
    /// # Errors
    /// [`ActivationError`].
    pub fn from_environment() -> Result<Self, ActivationError> {
        let mut descriptors = ListenFd::from_env();
        let mut activation = Self::default();
        for index in 0..descriptors.len() {
            if let Ok(Some(listener)) = descriptors.take_unix_listener(index) {
                check_listening(&listener, index)?;
                if activation.listener.replace(listener).is_some() {
                    return Err(ActivationError::SeveralUnixSockets);
                }
                continue;
            }
            let listener = descriptors.take_tcp_listener(index).and_then(|listener| {
                listener.ok_or_else(|| io::Error::other("it was taken already"))
            });
            let listener =
                listener.map_err(|source| ActivationError::NotASocket { index, source })?;
            check_listening(&listener, index)?;
            activation.http.push(listener);
        }
        Ok(activation)
    }
}

fn check_listening(socket: &impl AsFd, index: usize) -> Result<(), ActivationError> {
    let is_listening = socket_acceptconn(socket)
        .map_err(|error| ActivationError::NotASocket { index, source: error.into() })?;
    is_listening.then_some(()).ok_or(ActivationError::NotListening(index))
}
