//! The label of nodes with SGX.

use super::host::Host;
use super::node_status::{ALIYUN_EPC, InNodeStatus};
use crate::cluster::{eventually, kubectl, node, node_name};

const LABEL: &str = "sgx.intel.com/capable";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_node_with_epc_is_labelled_through_its_status() {
    let _status = InNodeStatus(ALIYUN_EPC);
    let host = Host::new();
    let label = || node()["metadata"]["labels"][LABEL].as_str().map(str::to_owned);
    // Of an earlier plugin.
    remove_label();
    assert_eq!(label(), None);
    let plugin =
        host.plugin("--resource-profile aliyun --epc-accounting node-status --epc-size 1GiB");
    eventually("the label", || (label().as_deref() == Some("true")).then_some(()));
    plugin.stop();
    remove_label();
}

fn remove_label() {
    kubectl(&["label", "node", &node_name(), &format!("{LABEL}-")], "");
}
