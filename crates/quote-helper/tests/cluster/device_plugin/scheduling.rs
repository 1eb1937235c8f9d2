//! Pods that wait for resources.

use super::host::Host;
use crate::cluster::offers;
use crate::pod::Pod;
use crate::{EPC, PROVISION};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_pod_that_requests_too_much_epc_waits() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    Pod::create(&[(EPC, 169)]).lacks(EPC);
    Pod::create(&[(EPC, 168)]).runs();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_pod_waits_for_the_epc_of_another() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let first = Pod::create(&[(EPC, 100)]).runs();
    let second = Pod::create(&[(EPC, 69)]).lacks(EPC);
    let _beside = Pod::create(&[(EPC, 68)]).runs();
    first.ends();
    second.runs();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_provisioning_device_is_exclusive() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(PROVISION, 1);
    let first = Pod::create(&[(PROVISION, 1)]).runs();
    let second = Pod::create(&[(PROVISION, 1)]).lacks(PROVISION);
    drop(first);
    second.runs();
}
