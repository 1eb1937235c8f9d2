//! `serve` in a pod that has its node's processes: only in a sandbox, or if it is told to.

use std::process::{Command, Stdio};
use std::thread;

use landlock::{AccessFs, Ruleset, RulesetAttr};

use crate::memory_group::Group;
use crate::support::{Machine, RunResult, SERVE, Serve, is_root, kernel_has_landlock, skipped};

/// So many sandboxes can be one in the other.
const MAX_SANDBOXES: usize = 16;

/// Runs it in another control group than the first process, as in a pod with `hostPID`.
fn in_a_group(machine: &Machine, group: &Group, arguments: &str) -> Command {
    let program = machine.command(&format!("{SERVE} {arguments}"));
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        &format!("echo $$ > {} && exec \"$@\"", group.processes().display()),
        "sh",
    ]);
    command.arg(program.get_program()).args(program.get_args()).current_dir(machine.path(""));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it where the kernel gives child processes no sandbox.
fn without_sandboxes<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let confined = || {
        for _ in 0..MAX_SANDBOXES {
            let ruleset = Ruleset::default().handle_access(AccessFs::MakeBlock).unwrap();
            ruleset.create().unwrap().restrict_self().unwrap();
        }
        run()
    };
    thread::scope(|scope| scope.spawn(confined).join().unwrap())
}

#[test]
fn a_pod_with_the_nodes_processes_serves_in_a_sandbox_or_by_choice() {
    if !is_root() || !Group::is_possible() {
        return skipped("a control group of its own");
    }
    let machine = Machine::new();
    let group = Group::new(1 << 30).unwrap();
    let in_pod = |arguments| {
        let mut command = in_a_group(&machine, &group, arguments);
        command.env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        command
    };
    if kernel_has_landlock() {
        drop(Serve::start(&mut in_pod("")));
    }
    without_sandboxes(|| {
        drop(Serve::start(&mut in_a_group(&machine, &group, "")));
        drop(Serve::start(&mut in_pod("--sandbox=false")));
        let refused = RunResult::of(&mut in_pod("")).with_code(1);
        refused.says(&["shares its node's PID namespace", "--host-pid false", "--sandbox=false"]);
    });
}
