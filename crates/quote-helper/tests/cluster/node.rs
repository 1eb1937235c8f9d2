//! The first node of the repository's test cluster, through the scripts of `tools/test-cluster`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

/// Its name, also while the API server is away.
const NODE: &str = "node-1";

/// A command that runs another one on the node, whose arguments are to be added.
pub(crate) fn on_node() -> Command {
    let mut command = script("on-node");
    command.arg(NODE);
    command
}

/// Runs a shell script on the node, which must succeed, and returns its output.
#[track_caller]
pub(crate) fn shell(text: &str) -> String {
    let output = on_node().args(["sh", "-c", text]).output().unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A path on the node, as seen from this machine.
pub(crate) fn path(inside: &str) -> PathBuf {
    let cluster = std::env::var("TEST_CLUSTER").unwrap_or("test-cluster".to_owned());
    let pid = Path::new("/var/lib/test-cluster").join(cluster).join(NODE).join("pid");
    let pid = std::fs::read_to_string(pid).unwrap();
    Path::new("/proc").join(pid.trim()).join("root").join(inside.trim_start_matches('/'))
}

/// Stops a program of the control plane or of the node, and starts it again.
#[track_caller]
pub(crate) fn restart(program: &str) {
    run(script("restart").args([NODE, program]));
}

/// Loads an image of this program into all nodes, where it is in the root directory.
#[track_caller]
pub(crate) fn load_program(name: &str, program: &Path) {
    run(script("load-program").arg(name).arg(program));
}

/// The CPU time that the kubelet has used since its start.
pub(crate) fn kubelet_cpu() -> Duration {
    let stat = shell("cat /proc/$(cat /run/test-cluster/programs/kubelet.pid)/stat");
    // The fields after the name of the program; user and system time are the 14th and 15th of all.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The time at which the kubelet was started.
pub(crate) fn kubelet_start() -> SystemTime {
    let text = shell(
        "cut -d ' ' -f 22 /proc/$(cat /run/test-cluster/programs/kubelet.pid)/stat; \
         cut -d ' ' -f 1 /proc/uptime",
    );
    let (ticks, uptime) = text.trim().split_once('\n').unwrap();
    let started = ticks.parse::<f64>().unwrap() / 100.0;
    let age = uptime.parse::<f64>().unwrap() - started;
    SystemTime::now() - Duration::from_secs_f64(age)
}

fn script(name: &str) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/test-cluster");
    Command::new(scripts.join(name))
}

#[track_caller]
fn run(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
}
