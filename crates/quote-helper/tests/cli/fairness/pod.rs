//! A process in the cgroup of a pod: this program again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::caller::Held;

/// Says what the process has to hold: the socket, and for each user how many connections.
const HOLD: &str = "HOLD_CONNECTIONS";

/// A cgroup whose name is that of a pod; removed when this is dropped.
pub(super) struct Pod {
    cgroup: PathBuf,
}

/// A process in the pod that holds connections of several users.
pub(super) struct Holder {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Pod {
    /// A pod with this UID, if cgroups can be made here.
    pub(super) fn new(uid: &str) -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"];
        roots.iter().find_map(|root| {
            // The processes of a cgroup are only in cgroups of the same hierarchy.
            fs::exists(Path::new(root).join("cgroup.procs")).ok().filter(|exists| *exists)?;
            let cgroup = Path::new(root).join(format!("quote-helper-test/kubepods/pod{uid}"));
            fs::create_dir_all(&cgroup).ok()?;
            Some(Self { cgroup })
        })
    }

    /// Starts a process in the pod that holds so many connections of these users.
    pub(super) fn hold(&self, socket: &Path, users: &[(u32, usize)]) -> Holder {
        let what: Vec<_> = users.iter().map(|(uid, count)| format!("{uid} {count}")).collect();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fairness::pod::holds_connections", "--ignored", "--nocapture"])
            .env(HOLD, format!("{}\n{}", socket.display(), what.join("\n")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        fs::write(self.cgroup.join("cgroup.procs"), process.id().to_string()).unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Holder { process, stdin, stdout }
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        // The kernel may need a moment to see that it is empty; what is left is used again.
        for directory in self.cgroup.ancestors().take(3) {
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Holder {
    /// The connections of each user that the service has not closed.
    pub(super) fn open(&mut self) -> Vec<usize> {
        writeln!(self.stdin).unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "it has ended");
            if let Some(open) = line.strip_prefix("open ") {
                return open.split_whitespace().map(|open| open.parse().unwrap()).collect();
            }
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "a part of other tests"]
fn holds_connections() {
    let Ok(what) = std::env::var(HOLD) else { return };
    let mut asked = std::io::stdin().lines();
    // By then it is in the pod.
    let mut question = asked.next();
    let (socket, users) = what.split_once('\n').unwrap();
    let held = users.lines().map(|user| {
        let (uid, count) = user.split_once(' ').unwrap();
        let held = Held::by(uid.parse().unwrap(), socket.as_ref(), count.parse().unwrap());
        // All of them are accepted before those of the next user.
        std::thread::sleep(std::time::Duration::from_millis(500));
        held
    });
    let held: Vec<_> = held.collect();
    while question.is_some() {
        let open: Vec<_> = held.iter().map(|held| held.open().to_string()).collect();
        writeln!(std::io::stdout(), "open {}", open.join(" ")).unwrap();
        question = asked.next();
    }
}
