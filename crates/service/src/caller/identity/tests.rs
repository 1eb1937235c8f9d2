use std::fs;
use std::path::Path;

use super::*;

const POD: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
const OTHER_POD: &str = "72f7f152-440c-66ac-9084-e0fc1d8a910c";

/// A machine on which this process is in a pod.
struct Machine {
    _directory: tempfile::TempDir,
    cache: CallerCache,
    stream: UnixStream,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cache = CallerCache { proc: directory.path().into(), cached: Mutex::default() };
        Self { _directory: directory, cache, stream: UnixStream::pair().unwrap().0 }
    }

    fn put(&self, pid: u32, cgroups: &str) {
        let process = self.cache.proc.join(pid.to_string());
        fs::create_dir_all(&process).unwrap();
        fs::write(process.join("cgroup"), cgroups).unwrap();
    }

    fn put_into_pod(&self, pod: &str) {
        self.put(std::process::id(), &format!("0::/kubepods/pod{pod}/\n"));
    }

    fn pod(&self, now: Instant) -> Option<String> {
        let workload = self.cache.identify(&self.stream, now).workload?;
        Some(workload.pod.as_ref()?.to_string())
    }
}

#[test]
fn a_caller_has_its_peer_credentials() {
    let machine = Machine::new();
    machine.put_into_pod(POD);
    let caller = machine.cache.identify(&machine.stream, Instant::now());
    assert_eq!(caller.pid, std::process::id().cast_signed());
    assert_eq!(caller.uid, rustix::process::geteuid().as_raw());
    assert_eq!(caller.gid, rustix::process::getegid().as_raw());
    assert_eq!(caller.tenant, Tenant::Pod(POD.into()));
}

#[test]
fn a_workload_is_cached_for_a_second() {
    let (machine, now) = (Machine::new(), Instant::now());
    machine.put_into_pod(POD);
    assert_eq!(machine.pod(now).as_deref(), Some(POD));
    machine.put_into_pod(OTHER_POD);
    let almost = now.checked_add(CACHE_TIME - Duration::from_nanos(1)).unwrap();
    assert_eq!(machine.pod(almost).as_deref(), Some(POD));
    assert_eq!(machine.pod(now.checked_add(CACHE_TIME).unwrap()).as_deref(), Some(OTHER_POD));
}

#[test]
fn a_pid_of_another_user_is_another_process() {
    let (machine, now) = (Machine::new(), Instant::now());
    machine.put(7, &format!("0::/kubepods/pod{POD}/\n"));
    let pod =
        |uid| machine.cache.workload_and_tenant(7, uid, now).0.and_then(|found| found.pod.clone());
    assert_eq!(pod(1).as_deref(), Some(POD));
    machine.put(7, &format!("0::/kubepods/pod{OTHER_POD}/\n"));
    assert_eq!(pod(1).as_deref(), Some(POD));
    assert_eq!(pod(2).as_deref(), Some(OTHER_POD));
}

#[test]
fn unreadable_processes_are_unknown_and_bounded() {
    let (machine, now) = (Machine::new(), Instant::now());
    assert_eq!(machine.pod(now), None);
    for pid in 1..=3 * MAX_CACHED.cast_signed() {
        let pid = i32::try_from(pid).unwrap();
        assert_eq!(machine.cache.workload_and_tenant(pid, 0, now), (None, Tenant::User(0)));
    }
    assert!(machine.cache.cached.lock().processes.len() <= MAX_CACHED);
    machine.put(9, &format!("{}0::/kubepods/pod{POD}/\n", "1:x:/\n".repeat(4096)));
    let read = machine.cache.workload_and_tenant(9, 1, now).0;
    assert_eq!(read, None, "more was read than there may be");
}

#[test]
fn processes_belong_to_their_login_user() {
    let (machine, now) = (Machine::new(), Instant::now());
    let tenant = |pid, uid| machine.cache.workload_and_tenant(pid, uid, now).1;
    machine.put(7, "0::/user.slice/user-1000.slice/session-4.scope\n");
    assert_eq!(tenant(7, 0), Tenant::User(1000));
    machine.put(8, "0::/\n");
    fs::write(machine.cache.proc.join("8/loginuid"), "1001").unwrap();
    assert_eq!(tenant(8, 33), Tenant::User(1001));
    machine.put(9, "0::/system.slice/web.service\n");
    fs::write(machine.cache.proc.join("9/loginuid"), u32::MAX.to_string()).unwrap();
    assert_eq!(tenant(9, 33), Tenant::User(33), "nobody has");
    assert_eq!(tenant(0, 33), Tenant::User(33));
}

#[test]
fn a_process_has_cgroups_that_can_be_read() {
    let cache = CallerCache::default();
    assert_eq!(cache.proc, Path::new("/proc"));
    assert!(cache.locate(std::process::id().cast_signed()).is_ok());
}

/// Prints what a known and an unknown process cost: `cargo test --release -p service -- --ignored
/// --nocapture cost_of`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn cost_of_a_caller() {
    const TIMES: u32 = 200_000;
    let (cache, now) = (CallerCache::default(), Instant::now());
    let (stream, _other) = UnixStream::pair().unwrap();
    let time = |what: &str, work: &dyn Fn()| {
        let begin = Instant::now();
        (0..TIMES).for_each(|_| work());
        println!("{what}: {} ns", begin.elapsed().as_nanos() / u128::from(TIMES));
    };
    time("the system call", &|| assert!(getsockopt(&stream, PeerCredentials).is_ok()));
    time("a caller that is known", &|| drop(cache.identify(&stream, now)));
    time("a look-up", &|| drop(cache.locate(std::process::id().cast_signed())));
}
