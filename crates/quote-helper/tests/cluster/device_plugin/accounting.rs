//! The time until EPC can be allocated, and the kubelet's CPU time for it, at all sizes.

#![allow(clippy::print_stdout, reason = "figures are what the test is run for, too")]

use std::time::{Duration, Instant};

use super::host::Host;
use super::node_status::{ALIYUN_EPC, InNodeStatus};
use crate::ENCLAVE;
use crate::cluster::{kubernetes_version, offers};
use crate::node::{kubelet_cpu, restart};
use crate::pod::Pod;

/// The default of `--enclave-limit`.
const ENCLAVES: u64 = 256;
/// The sizes of nodes, in MiB.
const SIZES: [u64; 6] = [168, 8 << 10, 64 << 10, 256 << 10, 512 << 10, 1 << 20];
/// The maximum time until EPC is allocatable, and the maximum CPU time of the kubelet for it.
const LIMIT: Duration = Duration::from_secs(2);
const CPU_LIMIT: Duration = Duration::from_secs(1);

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn epc_of_all_sizes_is_allocatable_within_two_seconds() {
    println!("EPC accounting by node status, Kubernetes {}", kubernetes_version());
    println!("| EPC in MiB | allocated | start | plugin restart | kubelet restart |");
    let _status = InNodeStatus(ALIYUN_EPC);
    let without_plugin = kubelet_start();
    println!("a kubelet's start takes {without_plugin:.1?} of CPU time");
    for size in SIZES {
        for percent in [0, 80] {
            let host = Host::new();
            let arguments = format!("--resource-profile aliyun --epc-size {size}MiB");
            let arguments = format!("{arguments} --epc-accounting node-status");
            let (start, plugin) = measured(size, || host.plugin(&arguments));
            let limits = [(ALIYUN_EPC, size / 5), (ENCLAVE, 1)];
            let pods: Vec<_> = (0..percent / 20).map(|_| Pod::create(&limits)).collect();
            let pods: Vec<_> = pods.into_iter().map(Pod::runs).collect();

            plugin.stop();
            let (again, plugin) = measured(size, || host.plugin(&arguments));
            restart("kubelet");
            let begin = Instant::now();
            offers(ALIYUN_EPC, size);
            offers(ENCLAVE, ENCLAVES);
            let kubelet = Figures { time: begin.elapsed(), cpu: kubelet_cpu() };
            println!("| {size} | {percent} % | {start} | {again} | {kubelet} |");
            for figures in [&start, &again] {
                assert!(figures.time < LIMIT && figures.cpu < CPU_LIMIT, "{size}: {figures}");
            }
            assert!(kubelet.time < LIMIT, "{size}: {kubelet}");
            assert!(kubelet.cpu < without_plugin + CPU_LIMIT, "{size}: {kubelet}");
            drop((pods, plugin));
        }
    }
}

/// The CPU time of a kubelet in its first seconds.
fn kubelet_start() -> Duration {
    restart("kubelet");
    std::thread::sleep(LIMIT);
    kubelet_cpu()
}

/// The time until all EPC is allocatable, and what `begin` returns.
fn measured<T>(size: u64, begin: impl FnOnce() -> T) -> (Figures, T) {
    let (started, cpu) = (Instant::now(), kubelet_cpu());
    let begun = begin();
    offers(ALIYUN_EPC, size);
    offers(ENCLAVE, ENCLAVES);
    (Figures { time: started.elapsed(), cpu: kubelet_cpu().saturating_sub(cpu) }, begun)
}

/// The time until EPC is allocatable, and the kubelet's CPU time in it.
struct Figures {
    time: Duration,
    cpu: Duration,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} s, CPU {:.2} s", self.time.as_secs_f64(), self.cpu.as_secs_f64())
    }
}
