//! Resources of the node.

use super::host::Host;
use crate::cluster::{capacity, offers};
use crate::pod::Pod;
use crate::{EPC, PROVISION};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_node_has_epc_in_mib_while_a_plugin_offers_it() {
    let host = Host::new();
    let plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    offers(PROVISION, 1);
    assert_eq!(capacity(EPC).unwrap(), "168");
    assert_eq!(capacity(PROVISION).unwrap(), "1");

    plugin.stop();
    offers(EPC, 0);
    offers(PROVISION, 0);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn reserved_epc_is_not_offered() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB --reserve 8MiB --provision-limit 2");
    offers(EPC, 160);
    offers(PROVISION, 2);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn epc_in_software_comes_with_the_socket_but_without_device_nodes() {
    let host = Host::without_sgx();
    let _plugin = host.plugin("--software-epc 64MiB");
    offers(EPC, 64);
    offers(PROVISION, 0);
    let pod = Pod::create(&[(EPC, 10)]).runs();
    std::fs::write(host.aesm_dir().join("aesm.socket"), "").unwrap();
    assert_eq!(pod.exec("main", "ls /var/run/aesmd"), "aesm.socket\n");
    assert_eq!(pod.exec("main", "find /dev -name '*sgx*'"), "");
}
