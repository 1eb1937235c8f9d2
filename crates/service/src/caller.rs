//! Who is at the other end of a connection, by the word of the kernel.
//!
//! ```text
//! caller/workload.rs  the pod and the container that a process's cgroups name
//! ```

mod workload;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

// Rustix has this, too, but its pid cannot be 0, and the kernel's is where it is not visible from here.
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

pub(crate) use workload::Workload;

/// Processes whose workload is remembered.
const REMEMBERED: usize = 1_024;

/// For so long it is: a process hardly ever goes to another cgroup, but its pid goes to another process.
const MEMORY: Duration = Duration::from_secs(1);

/// The most that is read of a process's cgroups, in bytes.
const CGROUPS_SIZE: u64 = 4 * 1024;

/// The process that has connected, as it was then: who got the socket from it later is not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The effective user; 65534 for one that our user namespace does not have.
    pub(crate) uid: u32,
    /// The effective group.
    pub(crate) gid: u32,
    /// The process; 0 if our pid namespace does not have it.
    pub(crate) pid: i32,
    /// Where it runs; `None` outside of containers, and if nothing is known.
    pub(crate) workload: Option<Arc<Workload>>,
}

impl Caller {
    /// Nobody of whom anything is known. The ids are those that no user and no group can have.
    pub(crate) const UNKNOWN: Self = Self { uid: u32::MAX, gid: u32::MAX, pid: 0, workload: None };

    /// The UID of the caller's pod, if it is known.
    pub(crate) fn pod(&self) -> Option<Arc<str>> {
        self.workload.as_ref()?.pod.clone()
    }
}

/// Knows callers, and remembers for a moment where they run: to look it up costs as much as a quote.
///
/// A process that gets the pid of another one of the same user within a second is taken to run where
/// that one did. User and group are never remembered.
pub(crate) struct Callers {
    proc: PathBuf,
    places: Mutex<HashMap<i32, Place>>,
}

/// Where a process ran when it was looked up.
struct Place {
    uid: u32,
    workload: Option<Arc<Workload>>,
    seen: Instant,
}

impl Default for Callers {
    fn default() -> Self {
        Self { proc: "/proc".into(), places: Mutex::default() }
    }
}

impl Callers {
    /// The process that has connected. What cannot be found out is unknown.
    pub(crate) fn identify(&self, stream: &UnixStream, now: Instant) -> Caller {
        let Ok(peer) = getsockopt(stream, PeerCredentials) else { return Caller::UNKNOWN };
        let (uid, pid) = (peer.uid(), peer.pid());
        let workload = if pid > 0 { self.workload(pid, uid, now) } else { None };
        Caller { uid, gid: peer.gid(), pid, workload }
    }

    fn workload(&self, pid: i32, uid: u32, now: Instant) -> Option<Arc<Workload>> {
        // No panic happens while the lock is held, so a poisoned one holds whole places all the same.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&pid).filter(|place| place.is_of(uid, now)) {
            return place.workload.clone();
        }
        let workload = self.look_up(pid).ok().flatten().map(Arc::new);
        if places.len() >= REMEMBERED {
            places.clear();
        }
        places.insert(pid, Place { uid, workload: workload.clone(), seen: now });
        workload
    }

    fn look_up(&self, pid: i32) -> io::Result<Option<Workload>> {
        let mut cgroups = Vec::new();
        let path = self.proc.join(pid.to_string()).join("cgroup");
        File::open(path)?.take(CGROUPS_SIZE).read_to_end(&mut cgroups)?;
        Ok(Workload::of_cgroups(&String::from_utf8_lossy(&cgroups)))
    }
}

impl Place {
    fn is_of(&self, uid: u32, now: Instant) -> bool {
        self.uid == uid && now.saturating_duration_since(self.seen) < MEMORY
    }
}

#[cfg(test)]
mod tests;
