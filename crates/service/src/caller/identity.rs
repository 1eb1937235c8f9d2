//! The identity of a caller: peer credentials (SO_PEERCRED), and the process's entry in /proc.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
// Unlike nix, rustix does not allow pid 0, which the kernel gives for a process of another
// namespace.
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::tenant::Tenant;
use super::uid_ranges::UidRanges;
use super::workload::{Location, Workload};

/// The most processes that are cached.
const MAX_CACHED: usize = 1_024;

/// The time that a process is cached. It hardly ever changes its cgroup, but its pid is reused.
const CACHE_TIME: Duration = Duration::from_secs(1);

/// The most bytes that are read of a file in /proc.
const MAX_FILE_SIZE: u64 = 4 * 1024;

/// The process that has connected, as it was at that time. A process that inherits the socket later
/// counts as the same caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The effective user; 65534 if it has no uid in our user namespace.
    pub(crate) uid: u32,
    /// The effective group.
    pub(crate) gid: u32,
    /// The process; 0 if it has no pid in our pid namespace.
    pub(crate) pid: i32,
    /// Its pod and container; `None` outside of containers, or if unknown.
    pub(crate) workload: Option<Arc<Workload>>,
    pub(crate) tenant: Tenant,
}

impl Caller {
    /// A caller without credentials. No user or group can have these ids.
    pub(crate) const UNKNOWN: Self = Self {
        uid: u32::MAX,
        gid: u32::MAX,
        pid: 0,
        workload: None,
        tenant: Tenant::User(u32::MAX),
    };
}

/// Identifies callers. Caches their workloads and tenants, since a lookup costs as much as a quote.
///
/// A process that reuses the pid of another one of the same user within a second is taken for that
/// one. User and group are never cached.
pub(super) struct CallerCache {
    proc: PathBuf,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    processes: HashMap<i32, CachedProcess>,
    uid_ranges: UidRanges,
}

struct CachedProcess {
    uid: u32,
    workload: Option<Arc<Workload>>,
    tenant: Tenant,
    seen: Instant,
}

impl Default for CallerCache {
    fn default() -> Self {
        Self { proc: "/proc".into(), cached: Mutex::default() }
    }
}

impl CallerCache {
    /// The process at the other end. Facts that cannot be read are left unknown.
    pub(super) fn identify(&self, stream: &UnixStream, now: Instant) -> Caller {
        let Ok(peer) = getsockopt(stream, PeerCredentials) else { return Caller::UNKNOWN };
        let (uid, pid) = (peer.uid(), peer.pid());
        let (workload, tenant) = self.workload_and_tenant(pid, uid, now);
        Caller { uid, gid: peer.gid(), pid, workload, tenant }
    }

    fn workload_and_tenant(
        &self,
        pid: i32,
        uid: u32,
        now: Instant,
    ) -> (Option<Arc<Workload>>, Tenant) {
        let mut cached = self.cached.lock();
        if pid <= 0 {
            let ranges = cached.uid_ranges.refreshed(now);
            return (None, Tenant::of_invisible_process(uid, ranges));
        }
        if let Some(process) =
            cached.processes.get(&pid).filter(|process| process.is_valid(uid, now))
        {
            return (process.workload.clone(), process.tenant.clone());
        }
        let Location { workload, login } = self.locate(pid).unwrap_or_default();
        // Without systemd, the kernel may still know the login.
        let login = login.or_else(|| workload.is_none().then(|| self.login_uid(pid)).flatten());
        let ranges = cached.uid_ranges.refreshed(now);
        let tenant = Tenant::of_process(workload.as_ref(), login, uid, ranges);
        let workload = workload.map(Arc::new);
        if cached.processes.len() >= MAX_CACHED {
            cached.processes.clear();
        }
        let process =
            CachedProcess { uid, workload: workload.clone(), tenant: tenant.clone(), seen: now };
        cached.processes.insert(pid, process);
        (workload, tenant)
    }

    fn locate(&self, pid: i32) -> io::Result<Location> {
        Ok(Location::of_cgroups(&self.read(pid, "cgroup")?))
    }

    /// The login uid, which stays when the process changes its user.
    fn login_uid(&self, pid: i32) -> Option<u32> {
        let uid = self.read(pid, "loginuid").ok()?.trim().parse().ok()?;
        (uid != u32::MAX).then_some(uid)
    }

    fn read(&self, pid: i32, name: &str) -> io::Result<String> {
        let mut bytes = Vec::new();
        let path = self.proc.join(pid.to_string()).join(name);
        File::open(path)?.take(MAX_FILE_SIZE).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl CachedProcess {
    fn is_valid(&self, uid: u32, now: Instant) -> bool {
        self.uid == uid && now.saturating_duration_since(self.seen) < CACHE_TIME
    }
}

#[cfg(test)]
mod tests;
