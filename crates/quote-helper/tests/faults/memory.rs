//! A limit on memory.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aesm::MAX_REQUEST_SIZE;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fault::{Fault, Needs, Outcome, check};
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
        name: "10,000 requests of 8 KiB that are not finished, with the limit on memory of the add-on (512 MiB)",
        needs: Needs::MemoryGroups,
        troubles: &[],
        note: "",
        log: "",
        afterwards: "who does not finish a request is seen off after 5 s",
        happen: flooded,
    }]);
}

fn flooded() -> Outcome {
    let group = Group::new(LIMIT).expect("it is possible");
    let enter = format!("echo $$ > {} && exec \"$@\"", group.processes().display());
    let mut site = Site::with(Machine::new(), move |machine| {
        started_by(&["sh", "-c", &enter, "sh"], machine, SERVE)
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

/// A control group, removed when it is dropped.
pub(crate) struct Group(PathBuf);

impl Group {
    pub(crate) fn is_possible() -> bool {
        Self::new(LIMIT).is_some()
    }

    /// A group whose processes may have so many bytes, if the system lets us make one: version 1, or 2.
    fn new(limit: u64) -> Option<Self> {
        let forms = [("memory/", "memory.limit_in_bytes"), ("", "memory.max")];
        forms.into_iter().find_map(|(hierarchy, file)| {
            let name = format!("{hierarchy}quote-helper-{}", std::process::id());
            let directory = Path::new("/sys/fs/cgroup").join(name);
            fs::create_dir(&directory).ok()?;
            let group = Self(directory);
            fs::write(group.0.join(file), limit.to_string()).ok()?;
            Some(group)
        })
    }

    fn processes(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }

    /// In bytes.
    fn in_use(&self) -> u64 {
        let files = ["memory.usage_in_bytes", "memory.current"];
        let text = files.iter().find_map(|file| fs::read_to_string(self.0.join(file)).ok());
        text.unwrap().trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
