//! Another service, by the word of the kernel.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::net::UnixStream;

/// The process at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its number, unless it is in another container.
    pub pid: Option<u32>,
    /// Its user.
    pub uid: u32,
}

impl Peer {
    /// Who is at the other end of this connection. Has to be called within a runtime.
    pub(crate) fn of(stream: StdUnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::at_the_end_of(&UnixStream::from_std(stream)?)
    }

    /// Who is at the other end of this one.
    pub(crate) fn at_the_end_of(stream: &UnixStream) -> io::Result<Self> {
        let peer = stream.peer_cred()?;
        // Of a process in another container the kernel says that its number is 0.
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
        Ok(Self { pid, uid: peer.uid() })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => {
                write!(f, "process {pid}")?;
                if let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) {
                    write!(f, " ({})", name.trim().escape_debug())?;
                }
            }
            None => write!(f, "a process in another container")?,
        }
        write!(f, " of user {}", self.uid)
    }
}
