//! The time until EPC can be allocated, and the kubelet's CPU time for it, at all sizes.

#![allow(clippy::print_stdout, reason = "figures are what the test is run for, too")]

use std::fmt;
use std::time::{Duration, SystemTime};

use super::host::Host;
use super::node_status::{ALIYUN_EPC, InNodeStatus};
use super::node_watch::NodeWatch;
use super::plugin::Plugin;
use crate::ENCLAVE;
use crate::cluster::{eventually, kubernetes_version};
use crate::node::{kubelet_cpu, kubelet_start, restart};
use crate::pod::Pod;

/// The default of `--enclave-limit`.
const ENCLAVES: u64 = 256;
/// The sizes of nodes, in MiB.
const SIZES: [u64; 6] = [168, 8 << 10, 64 << 10, 256 << 10, 512 << 10, 1 << 20];
/// The maximum time until EPC is allocatable, and the maximum CPU time of the kubelet for it.
const LIMIT: Duration = Duration::from_secs(2);
const CPU_LIMIT: Duration = Duration::from_secs(1);
/// The time in which the kubelet's CPU time is counted.
const WINDOW: Duration = Duration::from_secs(4);

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn epc_of_all_sizes_is_allocatable_within_two_seconds() {
    println!("Kubernetes {}, EPC in the node's status", kubernetes_version());
    println!("| EPC in MiB | allocated | start | plugin restart | kubelet restart |");
    let _status = InNodeStatus(ALIYUN_EPC);
    let watch = NodeWatch::start();
    for size in SIZES {
        for percent in [0, 80] {
            let host = Host::new();
            let start = || {
                let options = "--resource-profile aliyun --epc-accounting node-status";
                host.plugin(&format!("{options} --epc-size {size}MiB"))
            };
            let (first, plugin) = of_plugin(&watch, size, start);
            let limits = [(ALIYUN_EPC, size / 5), (ENCLAVE, 1)];
            let pods: Vec<_> = (0..percent / 20).map(|_| Pod::create(&limits)).collect();
            let pods: Vec<_> = pods.into_iter().map(Pod::runs).collect();

            plugin.stop();
            let (again, plugin) = of_plugin(&watch, size, start);
            let kubelet = of_kubelet(&watch, size, &plugin);
            println!("| {size} | {percent} % | {first} | {again} | {kubelet} |");
            for figures in [first, again, kubelet] {
                assert!(figures.time < LIMIT && figures.cpu < CPU_LIMIT, "{size}: {figures}");
            }
            drop((pods, plugin));
        }
    }
}

/// The time until EPC is allocatable, and the kubelet's CPU time for it.
struct Figures {
    time: Duration,
    cpu: Duration,
}

/// The figures of a plugin from its start on.
fn of_plugin(watch: &NodeWatch, size: u64, start: impl FnOnce() -> Plugin) -> (Figures, Plugin) {
    let cpu = kubelet_cpu();
    let plugin = start();
    let time = allocatable(watch, size, &plugin, plugin.started());
    std::thread::sleep(WINDOW);
    (Figures { time, cpu: kubelet_cpu() - cpu }, plugin)
}

/// The figures of a kubelet from its start on, including what it does in any case.
fn of_kubelet(watch: &NodeWatch, size: u64, plugin: &Plugin) -> Figures {
    let registered = plugin.registered().len();
    restart("kubelet");
    eventually("the plugin registers again", || {
        (plugin.registered().len() > registered).then_some(())
    });
    let time = allocatable(watch, size, plugin, kubelet_start());
    std::thread::sleep(WINDOW);
    Figures { time, cpu: kubelet_cpu() }
}

/// The time until the API server reports all EPC, and the kubelet has the device nodes' resource.
fn allocatable(watch: &NodeWatch, size: u64, plugin: &Plugin, start: SystemTime) -> Duration {
    let reported = watch.allocatable_since([(ALIYUN_EPC, size), (ENCLAVE, ENCLAVES)]);
    let registered = eventually("a registration", || plugin.registered().last().copied());
    reported.max(registered).duration_since(start).unwrap()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s, CPU {:.2} s", self.time.as_secs_f64(), self.cpu.as_secs_f64())
    }
}
