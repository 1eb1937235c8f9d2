//! The metric of allocated devices.

use super::host::Host;
use super::plugin::Plugin;
use crate::cluster::{eventually, offers};
use crate::pod::Pod;
use crate::{EPC, PROVISION};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn allocations_are_those_of_pods() {
    let host = Host::new();
    let plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    offers(PROVISION, 1);
    allocated(&plugin, None, None);
    let first = Pod::create(&[(EPC, 10)]).runs();
    allocated(&plugin, Some(10), None);
    let second = Pod::create(&[(EPC, 20), (PROVISION, 1)]).runs();
    allocated(&plugin, Some(30), Some(1));
    drop(first);
    allocated(&plugin, Some(20), Some(1));
    drop(second);
    allocated(&plugin, None, None);
}

#[track_caller]
fn allocated(plugin: &Plugin, epc: Option<u64>, provision: Option<u64>) {
    eventually("what is allocated", || {
        let allocated = (plugin.allocated(EPC), plugin.allocated(PROVISION));
        (allocated == (epc, provision)).then_some(())
    });
}
