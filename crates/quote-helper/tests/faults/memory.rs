//! A limit on memory.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use aesm::MAX_REQUEST_SIZE;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fault::{Fault, Needs, Outcome, check};
use crate::memory_group::Group;
use crate::site::{Site, started_by};
use crate::support::{Machine, SERVE};

/// As the add-on has it, in bytes.
const LIMIT: u64 = 512 * 1024 * 1024;

/// Requests of the largest size that never become whole.
const UNFINISHED: usize = 10_000;

#[test]
#[ignore = "just faults"]
fn faults_of_memory() {
    check(&[Fault {
        name: "10,000 unfinished requests of 8 KiB, with the add-on's memory limit (512 MiB)",
        needs: Needs::MemoryGroups,
        troubles: &[],
        note: "",
        log: "",
        afterwards: "connections with an unfinished request are closed after 5 s",
        happen: flooded,
    }]);
}

fn flooded() -> Outcome {
    let group = Group::new(LIMIT).expect("it is possible");
    let enter = format!("echo $$ > {} && exec \"$@\"", group.processes().display());
    let mut site = Site::with(Machine::new(), move |machine| {
        // They and the applications are one caller, which needs connections for both.
        let serve = format!("{SERVE} --max-connections-per-caller {}", 11 * UNFINISHED / 10);
        started_by(&["sh", "-c", &enter, "sh"], machine, &serve)
    });
    let pid = site.serve().pid();
    let load = site.during(|site, progress| {
        let unfinished = unfinished(&site.machine.socket());
        progress.of_quotes();
        println!("the group of the service has {} kB", group.in_use() / 1_000);
        drop(unfinished);
        progress.of_quotes();
    });
    assert!(Path::new(&format!("/proc/{pid}/exe")).exists(), "it was killed");
    site.outcome(load)
}

fn unfinished(socket: &Path) -> Vec<UnixStream> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let size = u32::try_from(MAX_REQUEST_SIZE).unwrap();
    let all_but_one = vec![7; MAX_REQUEST_SIZE - 1];
    let connect = |number| {
        // Not so fast that others find no place where connections wait to be accepted.
        if number % 100 == 0 {
            thread::sleep(Duration::from_millis(20));
        }
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(&size.to_le_bytes()).unwrap();
        stream.write_all(&all_but_one).unwrap();
        stream
    };
    (0..UNFINISHED).map(connect).collect()
}
