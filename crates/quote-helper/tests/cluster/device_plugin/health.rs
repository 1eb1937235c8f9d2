//! Resources without their device node.

use super::host::Host;
use crate::cluster::{capacity, offers};
use crate::pod::Pod;
use crate::{EPC, PROVISION};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn epc_is_not_allocated_while_the_enclave_device_is_missing() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    offers(PROVISION, 1);

    host.remove_enclave_device();
    offers(EPC, 0);
    assert_eq!(capacity(EPC).unwrap(), "168");
    offers(PROVISION, 1);
    let pod = Pod::create(&[(EPC, 168)]).lacks(EPC);

    host.add_enclave_device();
    offers(EPC, 168);
    pod.runs().exec("main", ": <> /dev/sgx_enclave");
}
