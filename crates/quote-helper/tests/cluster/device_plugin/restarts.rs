//! Restarts do not affect running pods.

use std::time::{Duration, Instant};

use super::host::Host;
use super::plugin::Plugin;
use crate::EPC;
use crate::cluster::{eventually, offers};
use crate::node::restart;
use crate::pod::Pod;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn all_resources_are_registered_with_a_restarted_kubelet() {
    let host = Host::new();
    let plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let pod = RunningPod::create();

    restart("kubelet");
    let begin = Instant::now();
    eventually("a registration", || (plugin.registrations(EPC) == Some(2)).then_some(()));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // Counted when all resources are registered.
    let restarts = || plugin.metric("kubelet_restarts_total");
    eventually("a restart", || (restarts() == Some(1)).then_some(()));
    eventually("the kubelet knows its pods", || pod.pod.answers("main").then_some(()));
    pod.runs_on();
    // The pod's devices still count as allocated.
    let second = Pod::create(&[(EPC, 68)]).runs();
    second.exec("main", ": <> /dev/sgx_enclave");
    Pod::create(&[(EPC, 1)]).lacks(EPC);
    eventually("allocations", || (plugin.allocated(EPC) == Some(168)).then_some(()));
    pod.runs_on();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn pods_run_on_when_the_plugin_is_replaced() {
    pods_run_on_without(Plugin::stop);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn pods_run_on_when_the_plugin_crashes() {
    pods_run_on_without(Plugin::crash);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_older_plugin_returns_after_the_newer() {
    let host = Host::new();
    let older = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let newer = host.plugin("--epc-size 100MiB");
    offers(EPC, 100);
    let pod = RunningPod::create();

    newer.stop();
    offers(EPC, 168);
    Pod::create(&[(EPC, 68)]).runs().exec("main", ": <> /dev/sgx_enclave");
    pod.runs_on();
    assert_eq!(older.metric("kubelet_restarts_total"), Some(0));
}

#[track_caller]
fn pods_run_on_without(end: impl FnOnce(Plugin)) {
    let host = Host::new();
    let first = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let pod = RunningPod::create();

    end(first);
    offers(EPC, 0);
    pod.runs_on();
    let waiting = Pod::create(&[(EPC, 68)]).lacks(EPC);

    let _second = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    waiting.runs().exec("main", ": <> /dev/sgx_enclave");
    pod.runs_on();
}

/// A pod with 100 MiB of EPC.
struct RunningPod {
    pod: Pod,
    container_id: String,
}

impl RunningPod {
    fn create() -> Self {
        let pod = Pod::create(&[(EPC, 100)]).runs();
        Self { container_id: pod.container_id(), pod }
    }

    /// Checks that it is the same container with its devices.
    #[track_caller]
    fn runs_on(&self) {
        assert_eq!(self.pod.container_id(), self.container_id);
        self.pod.exec("main", ": <> /dev/sgx_enclave && cd /var/run/aesmd");
    }
}
