//! Tenants: the parties that quotas and budgets are divided among.

use std::sync::Arc;

use super::uid_ranges::{Owner, UidRanges};
use super::workload::Workload;

/// The size of the aligned block of uids that the kubelet, CRI-O and systemd give a user namespace.
const BLOCK: u32 = 1 << 16;

/// Classes of users within a tenant; a power of 2.
const USER_CLASSES: u32 = 64;

/// The outermost party of a process, whose quota does not grow with the users, processes, sessions
/// or namespaces that it creates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Tenant {
    /// A pod, by its UID.
    Pod(Arc<str>),
    /// A container outside of pods, by its id.
    Container(Arc<str>),
    /// A user of the machine, with all of its login sessions and its subordinate uids.
    User(u32),
    /// The uids of a user namespace, or of an owner without a uid here, by the first of them.
    UidRange(u32),
}

impl Tenant {
    /// The tenant of a process: its pod, else its container, else its login user, else its user.
    pub(super) fn of_process(
        workload: Option<&Workload>,
        login: Option<u32>,
        uid: u32,
        ranges: &UidRanges,
    ) -> Self {
        let pod = workload.and_then(|workload| workload.pod.clone());
        let container = workload.and_then(|workload| workload.container.clone());
        let place = pod.map(Self::Pod).or(container.map(Self::Container));
        place.unwrap_or_else(|| {
            let uid = login.unwrap_or(uid);
            ranges.owner(uid).map_or(Self::User(uid), Self::from)
        })
    }

    /// The tenant of a process without a pid in our namespace, of which only the user is known.
    pub(super) fn of_invisible_process(uid: u32, ranges: &UidRanges) -> Self {
        let block = || (uid >= BLOCK).then_some(Self::UidRange(uid & !(BLOCK - 1)));
        ranges.owner(uid).map(Self::from).or_else(block).unwrap_or(Self::User(uid))
    }

    /// The class of a user within its tenant. A fixed number of classes bounds the cost of a tenant
    /// with thousands of users (stochastic fair queueing); the users of a class share its turns.
    pub(crate) fn user_class(uid: u32) -> u8 {
        u8::try_from(uid & (USER_CLASSES - 1)).unwrap_or_default()
    }
}

impl From<Owner> for Tenant {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::User(uid) => Self::User(uid),
            Owner::Range(first) => Self::UidRange(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: u32 = 65_534;

    fn ranges() -> UidRanges {
        UidRanges::parse("alice:100000:65536\n", "alice:x:1000:1000::/:/bin/sh\n")
    }

    fn workload(pod: Option<&str>, container: Option<&str>) -> Workload {
        Workload { pod: pod.map(Arc::from), container: container.map(Arc::from) }
    }

    fn of(workload: Option<&Workload>, login: Option<u32>, uid: u32) -> Tenant {
        Tenant::of_process(workload, login, uid, &ranges())
    }

    #[test]
    fn all_users_of_a_pod_or_a_container_are_one_tenant() {
        let pod = workload(Some("p"), Some("c"));
        for uid in [0, 1000, 65_532, 100_001] {
            assert_eq!(of(Some(&pod), None, uid), Tenant::Pod("p".into()));
            let container = workload(None, Some("c"));
            assert_eq!(of(Some(&container), Some(7), uid), Tenant::Container("c".into()));
        }
    }

    #[test]
    fn a_user_is_one_tenant_with_its_logins_and_its_subordinate_uids() {
        let alice = Tenant::User(1000);
        for (login, uid) in [(None, 1000), (None, 100_000), (None, 165_535), (Some(1000), 0)] {
            assert_eq!(of(None, login, uid), alice, "{login:?} {uid}");
        }
        // A login within a container of hers that has no cgroup of its own.
        assert_eq!(of(None, Some(100_007), 100_007), alice);
        assert_eq!(of(None, None, 165_536), Tenant::User(165_536));
        assert_eq!(of(None, None, NOBODY), Tenant::User(NOBODY));
    }

    #[test]
    fn a_user_namespace_of_invisible_process_is_one_tenant() {
        let of = |uid| Tenant::of_invisible_process(uid, &ranges());
        assert_eq!(of(131_072), Tenant::User(1000), "the owner is known");
        let block = Tenant::UidRange(196_608);
        assert_eq!([of(196_608), of(196_609), of(262_143)], [block.clone(), block.clone(), block]);
        assert_eq!(of(262_144), Tenant::UidRange(262_144));
        assert_eq!([of(0), of(NOBODY)], [Tenant::User(0), Tenant::User(NOBODY)]);
    }

    #[test]
    fn users_have_few_classes() {
        let class = Tenant::user_class;
        assert!((0..100_000).all(|uid| u32::from(class(uid)) < USER_CLASSES));
        assert_ne!(class(1000), class(1001));
        assert_eq!(class(u32::MAX), 63);
    }
}
