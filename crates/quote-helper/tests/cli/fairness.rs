//! Tenants share connections: a pod however many users it has, a user however many subordinate
//! uids, and what happens when there are no more.

mod caller;
mod pod;

use std::cell::RefCell;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Signal, getuid};
use serde_json::Value;

use self::caller::{Held, as_user, is_served};
use self::pod::Pod;
use crate::support::{Machine, SERVE, Serve, SetOnDrop, eventually, skipped};

/// A service with 64 connections, and so 32 for each tenant.
const FEW: &str = "--max-connections 64 --idle-timeout 10m";

/// True if this process can act as several users. A login would make all of them one caller.
fn can_be_others() -> bool {
    let login = std::fs::read_to_string("/proc/self/loginuid");
    let has_logged_in = login.is_ok_and(|uid| uid.trim() != u32::MAX.to_string());
    let cgroups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    getuid().is_root() && !has_logged_in && !cgroups.contains("/user.slice/")
}

/// A machine whose socket other users find.
fn open_machine() -> Machine {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    std::fs::set_permissions(machine.path("."), PermissionsExt::from_mode(0o755)).unwrap();
    machine
}

/// The command of this line behind another program, which executes what follows its arguments.
fn behind(program: &str, arguments: &[&str], machine: &Machine, line: &str) -> Command {
    let inner = machine.command(line);
    let mut command = Command::new(program);
    command.args(arguments).arg(inner.get_program()).args(inner.get_args());
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(machine.path("."));
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

fn connections(serve: &Serve) -> usize {
    let metrics = serve.metrics();
    let line = metrics.lines().find(|line| line.starts_with("quote_helper_connections "));
    line.expect(&metrics).rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn with_4096_descriptors_one_user_stops_nobody() {
    if !can_be_others() {
        return skipped("root, outside of a login session");
    }
    let machine = open_machine();
    let line = format!("{SERVE} --isolate --workers 2 --after-hand-over exit");
    let script = ["-c", "ulimit -n 4096 && exec \"$0\" \"$@\""];
    let serve = Serve::start(&mut behind("sh", &script, &machine, &line));
    let (full, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| as_user(20_001, || caller::flood(&machine.socket(), 5_000, &full, &stop)));
        let _flood = SetOnDrop(&stop);
        eventually("the flood has as much as it gets", || full.load(Ordering::Relaxed));
        for _ in 0..3 {
            machine.quote("07");
            assert!(as_user(20_002, || is_served(&machine.socket())));
        }
        assert!(serve.get("/readyz").starts_with("HTTP/1.1 200"), "{}", serve.get("/readyz"));
        let workers = serve.children();
        serve.signal(Signal::HUP);
        eventually("the workers are replaced", || {
            let now = serve.children();
            now.len() == 2 && !now.iter().any(|worker| workers.contains(worker))
        });
        // The successor finds a descriptor for each socket.
        let successor = Serve::start(&mut behind("sh", &script, &machine, &line));
        machine.quote("08");
        drop(successor);
    });
    let (_, log) = serve.wait();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let limits = events.iter().find(|event| event["fields"]["message"] == "limits").unwrap();
    assert_eq!(limits["fields"]["open_files"], 4_096);
    let of = |name: &str| limits["fields"][name].as_u64().unwrap();
    assert_eq!(of("connections") + of("reserved"), 4_096);
    assert_eq!(of("connections_per_caller"), of("connections").div_ceil(2));
    assert!(!log.contains("cannot accept a connection"), "{log}");
}

#[test]
fn two_users_of_one_range_have_one_share_together() {
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status();
    let may_mount = may_mount.is_ok_and(|status| status.success());
    if !can_be_others() || !may_mount || !std::fs::exists("/etc/subuid").unwrap() {
        return skipped("root, outside of a login session, and /etc/subuid");
    }
    let machine = open_machine();
    machine.write("subuid", "1000:100000:65536\n");
    let script = "mount --bind subuid /etc/subuid && exec \"$0\" \"$@\"";
    let arguments = ["--mount", "sh", "-c", script];
    let serve =
        Serve::start(&mut behind("unshare", &arguments, &machine, &format!("{SERVE} {FEW}")));
    let first = Held::by(100_001, &machine.socket(), 32);
    eventually("they are connected", || connections(&serve) == 32);
    let second = Held::by(100_002, &machine.socket(), 16);
    eventually("the first gives way", || first.open() == 16);
    assert_eq!(second.open(), 16);
    let owner = Held::by(1_000, &machine.socket(), 4);
    eventually("both give way", || first.open() + second.open() == 28);
    assert_eq!(owner.open(), 4);
    machine.quote("07");
}

#[test]
fn a_pod_has_one_share_however_many_users_it_has() {
    let Some(pod) = Pod::new("6c1a4e95-6bb6-11e6-bc26-28d2444e470d") else {
        return skipped("root and a writable /sys/fs/cgroup");
    };
    let machine = open_machine();
    let serve = Serve::start(&mut machine.command(&format!("{SERVE} {FEW}")));
    let users = [(30_001, 32), (30_002, 16), (30_003, 10)];
    let held = RefCell::new(pod.hold(&machine.socket(), &users));
    eventually("all of it is there", || held.borrow_mut().open().iter().sum::<usize>() == 32);
    let open = held.borrow_mut().open();
    assert!(open.iter().all(|open| (10..=11).contains(open)), "{open:?}");
    assert!(connections(&serve) <= 33);
    machine.quote("07");
    assert!(as_user(30_001, || is_served(&machine.socket())), "outside of the pod");
}
