//! A device for each MiB, up to the kubelet's limit.

#![allow(clippy::print_stdout, reason = "figures are what the tests are run for, too")]

use std::time::Instant;

use super::host::Host;
use crate::EPC;
use crate::cluster::{capacity, offers};
use crate::node::kubelet_memory;
use crate::pod::Pod;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn devices_of_8_gib() {
    devices_are_offered_and_allocated("8GiB", 8192, 8000);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn devices_of_256_gib() {
    devices_are_offered_and_allocated("256GiB", 262_144, 200_000);
}

#[track_caller]
fn devices_are_offered_and_allocated(size: &str, devices: u64, wanted: u64) {
    let (begin, before) = (Instant::now(), kubelet_memory());
    let host = Host::new();
    let plugin = host.plugin(&format!("--epc-size {size}"));
    let ready = begin.elapsed();
    offers(EPC, devices);
    let offered = begin.elapsed();
    assert_eq!(capacity(EPC).unwrap(), devices.to_string());

    let begin = Instant::now();
    let _pod = Pod::create(&[(EPC, wanted)]).runs();
    let runs = begin.elapsed();
    assert_eq!(plugin.allocated(EPC), Some(wanted));
    Pod::create(&[(EPC, devices - wanted + 1)]).lacks(EPC);
    // The kubelet stops watching after a message that is too long; this is another one.
    host.remove_enclave_device();
    offers(EPC, 0);
    host.add_enclave_device();
    offers(EPC, devices);
    assert_eq!(plugin.registrations(EPC), Some(1));
    println!(
        "{size}: ready after {ready:.1?}, in the node's status after {offered:.1?}; a pod with \
         {wanted} devices runs after {runs:.1?}; the kubelet has {} KiB, before {before} KiB",
        kubelet_memory()
    );
}
