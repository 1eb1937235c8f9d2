//! `device-plugin` without a kubelet. Its library's tests have one, `tests/cluster` a real one.

use std::fs::File;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::support::{KilledOnDrop, Machine, RunResult};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running device plugin.
struct DevicePlugin<'a> {
    machine: &'a Machine,
    child: KilledOnDrop,
}

impl<'a> DevicePlugin<'a> {
    fn start(machine: &'a Machine, arguments: &str) -> Self {
        let line = format!(
            "device-plugin --plugin-dir plugins --metrics-listen 127.0.0.1:0 \
             --epc-accounting devices {arguments}"
        );
        Self::spawn(machine, &mut machine.command(&line))
    }

    fn spawn(machine: &'a Machine, command: &mut Command) -> Self {
        let log = File::create(machine.path("log")).unwrap();
        Self { machine, child: KilledOnDrop(command.stderr(log).spawn().unwrap()) }
    }

    fn log(&self) -> String {
        String::from_utf8(self.machine.read("log")).unwrap()
    }

    /// Waits until the log says this.
    #[track_caller]
    fn says(&self, text: &str) {
        let begin = Instant::now();
        while !self.log().contains(text) {
            assert!(begin.elapsed() < PATIENCE, "{text:?} is missing: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn terminate(&mut self) -> ExitStatus {
        kill_process(self.child.pid(), Signal::TERM).unwrap();
        self.child.0.wait().unwrap()
    }
}

#[test]
fn without_epc_it_is_idle_and_says_so() {
    let machine = Machine::new();
    let mut plugin = DevicePlugin::start(&machine, "--epc-size 0");
    plugin.says("no EPC to offer: the plugin is idle");
    assert!(plugin.child.0.try_wait().unwrap().is_none(), "it ended: {}", plugin.log());
    assert!(plugin.terminate().success());
}

#[test]
fn it_waits_for_the_kubelet_and_says_so_once() {
    let machine = Machine::new();
    let mut plugin = DevicePlugin::start(&machine, "--epc-size 8GiB --reserve 1GiB");
    plugin.says("7.0 GiB");
    plugin.says("cannot reach the kubelet at plugins/kubelet.sock");
    // Long enough for several looks.
    std::thread::sleep(Duration::from_millis(1200));
    assert!(plugin.child.0.try_wait().unwrap().is_none(), "it ended: {}", plugin.log());
    assert_eq!(plugin.log().matches("waiting for it").count(), 1, "{}", plugin.log());
    assert!(plugin.terminate().success());
}

#[test]
fn software_epc_is_told_to_be_insecure() {
    let machine = Machine::new();
    let plugin = DevicePlugin::start(&machine, "--software-epc 64MiB");
    plugin.says("not protected by hardware");
}

#[test]
fn settings_come_from_variables_too() {
    let machine = Machine::new();
    let mut command =
        machine.command("device-plugin --plugin-dir plugins --epc-accounting devices");
    command.env("QUOTE_HELPER_EPC_SIZE", "9GiB");
    DevicePlugin::spawn(&machine, &mut command).says("9.0 GiB");
}

#[test]
fn the_node_status_needs_the_nodes_name() {
    let machine = Machine::new();
    for profile in ["--resource-profile intel --epc-accounting devices", ""] {
        let line = format!("device-plugin --plugin-dir plugins --epc-size 1GiB {profile}");
        machine.run(&line).with_code(1).says(&["pass --node-name", "spec.nodeName"]);
        let line = format!("{line} --node-name here");
        RunResult::of(machine.command(&line).env("HOME", machine.path("")))
            .with_code(1)
            .says(&["API server", "kubeconfig"]);
    }
}
