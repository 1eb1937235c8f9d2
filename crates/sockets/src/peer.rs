//! Peer credentials (SO_PEERCRED).

use std::fmt;
use std::io;
use std::os::fd::AsFd;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

/// The process at the other end of a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its process id; `None` in another PID namespace.
    pub pid: Option<u32>,
    /// Its user id.
    pub uid: u32,
}

impl Peer {
    pub(crate) fn of(stream: &impl AsFd) -> io::Result<Self> {
        let peer = getsockopt(stream, PeerCredentials)?;
        // The kernel gives 0 for a process of another PID namespace.
        let pid = u32::try_from(peer.pid()).ok().filter(|pid| *pid > 0);
        Ok(Self { pid, uid: peer.uid() })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => {
                write!(f, "process {pid}")?;
                if let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) {
                    write!(f, " ({})", printable::line(name.trim()))?;
                }
            }
            None => write!(f, "a process in another container")?,
        }
        write!(f, " of user {}", self.uid)
    }
}
