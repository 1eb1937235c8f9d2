//! Who is at the other end of a connection: peer credentials (SO_PEERCRED), and what /proc says of the process.
//!
//! ```text
//! caller/workload.rs    the pod, the container or the login that a process's cgroups name
//! caller/uid_ranges.rs  the owners of the uids in /etc/subuid
//! caller/tenant.rs      the party that quotas and budgets are divided among
//! ```

mod tenant;
mod uid_ranges;
mod workload;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

// Rustix has this, too, but its pid cannot be 0, and the kernel's is where it is not visible from here.
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use parking_lot::{Mutex, MutexGuard};

pub(crate) use tenant::Tenant;
pub(crate) use workload::Workload;

use uid_ranges::UidRanges;
use workload::Location;

/// Processes that are remembered.
const REMEMBERED: usize = 1_024;

/// For so long they are: a process hardly ever goes to another cgroup, but its pid goes to another process.
const MEMORY: Duration = Duration::from_secs(1);

/// The most that is read of a file of /proc, in bytes.
const FILE_SIZE: u64 = 4 * 1024;

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
    /// To whom it belongs.
    pub(crate) tenant: Tenant,
}

impl Caller {
    /// Nobody of whom anything is known. The ids are those that no user and no group can have.
    pub(crate) const UNKNOWN: Self = Self {
        uid: u32::MAX,
        gid: u32::MAX,
        pid: 0,
        workload: None,
        tenant: Tenant::User(u32::MAX),
    };
}

/// Knows callers, and remembers for a moment where they run: to look it up costs as much as a quote.
///
/// A process that gets the pid of another one of the same user within a second is taken to run where
/// that one did. User and group are never remembered.
pub(crate) struct Callers {
    proc: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    processes: HashMap<i32, Process>,
    uid_ranges: UidRanges,
}

/// A process as it was when it was looked up.
struct Process {
    uid: u32,
    workload: Option<Arc<Workload>>,
    tenant: Tenant,
    seen: Instant,
}

impl Default for Callers {
    fn default() -> Self {
        Self { proc: "/proc".into(), known: Mutex::default() }
    }
}

impl Callers {
    /// The process that has connected. What cannot be found out is unknown.
    pub(crate) fn identify(&self, stream: &UnixStream, now: Instant) -> Caller {
        let Ok(peer) = getsockopt(stream, PeerCredentials) else { return Caller::UNKNOWN };
        let (uid, pid) = (peer.uid(), peer.pid());
        let (workload, tenant) = self.place(pid, uid, now);
        Caller { uid, gid: peer.gid(), pid, workload, tenant }
    }

    fn place(&self, pid: i32, uid: u32, now: Instant) -> (Option<Arc<Workload>>, Tenant) {
        let mut known = self.known();
        if pid <= 0 {
            let ranges = known.uid_ranges.refreshed(now);
            return (None, Tenant::out_of_sight(uid, ranges));
        }
        if let Some(process) = known.processes.get(&pid).filter(|process| process.is_of(uid, now)) {
            return (process.workload.clone(), process.tenant.clone());
        }
        let Location { workload, login } = self.locate(pid).unwrap_or_default();
        // Where there is no systemd, the kernel may know who has logged in.
        let login = login.or_else(|| workload.is_none().then(|| self.login_uid(pid)).flatten());
        let ranges = known.uid_ranges.refreshed(now);
        let tenant = Tenant::of_process(workload.as_ref(), login, uid, ranges);
        let workload = workload.map(Arc::new);
        if known.processes.len() >= REMEMBERED {
            known.processes.clear();
        }
        let process =
            Process { uid, workload: workload.clone(), tenant: tenant.clone(), seen: now };
        known.processes.insert(pid, process);
        (workload, tenant)
    }

    fn locate(&self, pid: i32) -> io::Result<Location> {
        Ok(Location::of_cgroups(&self.read(pid, "cgroup")?))
    }

    /// The user who logged in and started this process, whatever user it has become since.
    fn login_uid(&self, pid: i32) -> Option<u32> {
        let uid = self.read(pid, "loginuid").ok()?.trim().parse().ok()?;
        (uid != u32::MAX).then_some(uid)
    }

    fn read(&self, pid: i32, name: &str) -> io::Result<String> {
        let mut bytes = Vec::new();
        let path = self.proc.join(pid.to_string()).join(name);
        File::open(path)?.take(FILE_SIZE).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }
}

impl Process {
    fn is_of(&self, uid: u32, now: Instant) -> bool {
        self.uid == uid && now.saturating_duration_since(self.seen) < MEMORY
    }
}

#[cfg(test)]
mod tests;
