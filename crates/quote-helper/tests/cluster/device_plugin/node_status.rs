//! Enclave memory in the node's status.

use super::host::Host;
use crate::cluster::{capacity, offers, remove_from_node_status};
use crate::pod::Pod;
use crate::{ENCLAVE, EPC, INTEL_EPC};

/// The resource of the profile `aliyun`. No test offers it as devices, which the kubelet would
/// report as zero for some minutes.
pub(super) const ALIYUN_EPC: &str = "alibabacloud.com/sgx_epc_MiB";

const MIB: u64 = 1 << 20;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn epc_in_bytes_is_counted_and_comes_with_the_enclave_resource() {
    let _status = InNodeStatus(INTEL_EPC);
    let host = Host::new();
    let _plugin = host.plugin("--resource-profile intel --epc-size 168MiB");
    offers(INTEL_EPC, 168 * MIB);
    offers(ENCLAVE, 256);
    assert_eq!(capacity(INTEL_EPC).unwrap(), (168 * MIB).to_string());
    runs_with_device(&[(INTEL_EPC, 100 * MIB), (ENCLAVE, 1)], || {
        Pod::create(&[(INTEL_EPC, 69 * MIB), (ENCLAVE, 1)]).lacks(INTEL_EPC);
    });

    host.remove_enclave_device();
    offers(INTEL_EPC, 0);
    offers(ENCLAVE, 0);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn two_profiles_divide_the_epc() {
    let _status = InNodeStatus(INTEL_EPC);
    let host = Host::new();
    let _plugin = host.plugin("--resource-profile azure=100MiB,intel --epc-size 168MiB");
    offers(EPC, 100);
    offers(INTEL_EPC, 68 * MIB);
    runs_with_device(&[(EPC, 100)], || {
        runs_with_device(&[(INTEL_EPC, 68 * MIB), (ENCLAVE, 1)], || {});
    });
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_tib_is_counted() {
    let _status = InNodeStatus(ALIYUN_EPC);
    let host = Host::new();
    let _plugin =
        host.plugin("--resource-profile aliyun --epc-accounting node-status --epc-size 1TiB");
    offers(ALIYUN_EPC, 1_048_576);
    offers(ENCLAVE, 256);
    runs_with_device(&[(ALIYUN_EPC, 1_000_000), (ENCLAVE, 1)], || {
        Pod::create(&[(ALIYUN_EPC, 100_000), (ENCLAVE, 1)]).lacks(ALIYUN_EPC);
    });
}

/// Checks that a pod with these limits runs and has the enclave device; `meanwhile` while it runs.
#[track_caller]
fn runs_with_device(limits: &[(&str, u64)], meanwhile: impl FnOnce()) {
    let pod = Pod::create(limits).runs();
    pod.exec("main", ": <> /dev/sgx_enclave && cd /var/run/aesmd");
    meanwhile();
}

/// A resource in the node's status, removed on drop.
pub(super) struct InNodeStatus(pub(super) &'static str);

impl Drop for InNodeStatus {
    fn drop(&mut self) {
        // A second panic would end all tests.
        if !std::thread::panicking() {
            remove_from_node_status(self.0);
        }
    }
}
