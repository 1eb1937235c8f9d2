//! The pod, the container or the login of a process, read from the names of its cgroups.
//!
//! The kubelet and the container runtimes give these names, with both cgroup drivers of the
//! kubelet, under cgroup v1 and v2, seen from the machine or from a container on it:
//!
//! ```text
//! /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<UID>.slice/cri-containerd-<id>.scope
//! /kubepods/burstable/pod<UID>/<id>
//! /../../pod<UID>/<id>
//! /system.slice/docker-<id>.scope
//! ```
//!
//! systemd puts everything that a user starts in any session below `/user.slice/user-<uid>.slice`.

use std::sync::Arc;

/// The characters of a container's id: 256 bits in hexadecimal.
const CONTAINER_ID_SIZE: usize = 64;

/// The runtimes' prefixes of an id. Other prefixes, and `conmon-` after one of these, belong to
/// other cgroups of the runtimes.
const RUNTIMES: [&str; 5] = ["cri-containerd-", "crio-", "docker-", "libpod-", "nerdctl-"];

/// The pod and container of a process, at least one of them known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    /// The pod's UID; for a static pod its hash, 32 hexadecimal digits.
    pub(crate) pod: Option<Arc<str>>,
    /// The container's id, 64 hexadecimal digits.
    pub(crate) container: Option<Arc<str>>,
}

/// The facts in the names of a process's cgroups.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) workload: Option<Workload>,
    /// The user from whose login the process was started, outside of containers.
    pub(super) login: Option<u32>,
}

impl Location {
    /// Reads `/proc/PID/cgroup`: a line `number:controllers:path` for each hierarchy.
    pub(super) fn of_cgroups(text: &str) -> Self {
        let paths = || text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        let workload = paths().filter_map(Workload::of_path).reduce(|best, next| {
            if best.pod.is_none() && next.pod.is_some() { next } else { best }
        });
        Self { workload, login: paths().find_map(login) }
    }
}

/// The user of `/user.slice/user-<uid>.slice`, only at the root: any user can create cgroups with
/// such names elsewhere.
fn login(path: &str) -> Option<u32> {
    let mut names = path.split('/').skip_while(|name| name.is_empty() || *name == "..");
    names.next().filter(|name| *name == "user.slice")?;
    names.next()?.strip_prefix("user-")?.strip_suffix(".slice")?.parse().ok()
}

impl Workload {
    /// The outermost names count: a container may create cgroups with any names below. For the same
    /// reason nothing below a user's own part of the tree counts.
    fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        let mut pod = None;
        // With the wrong driver configured, a cgroup is named `<slice>:cri-containerd:<id>`.
        for name in path.split(['/', ':']) {
            if name == "user.slice" {
                return None;
            }
            pod = pod.or_else(|| pod_uid(name));
            if let container @ Some(_) = container_id(name) {
                return Some(Self { pod, container });
            }
        }
        pod.map(|pod| Self { pod: Some(pod), container: None })
    }
}

fn pod_uid(name: &str) -> Option<Arc<str>> {
    let name = name.strip_suffix(".slice").unwrap_or(name);
    let uid = match name.strip_prefix("pod") {
        Some(uid) => uid,
        None => name.rsplit_once("-pod")?.1,
    };
    // In the name of a slice a dash would be one more level.
    let uid = uid.replace('_', "-");
    (is_uuid(&uid) || is_hex(&uid, 32)).then(|| uid.into())
}

fn container_id(name: &str) -> Option<Arc<str>> {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let id = RUNTIMES.iter().find_map(|runtime| name.strip_prefix(runtime)).unwrap_or(name);
    is_hex(id, CONTAINER_ID_SIZE).then(|| id.into())
}

fn is_uuid(text: &str) -> bool {
    let mut parts = text.split('-');
    [8, 4, 4, 4, 12].iter().all(|size| parts.next().is_some_and(|part| is_hex(part, *size)))
        && parts.next().is_none()
}

fn is_hex(text: &str, size: usize) -> bool {
    text.len() == size && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
