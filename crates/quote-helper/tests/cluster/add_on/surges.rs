//! Many updates, each of which starts the new pods beside the old ones, under applications that do
//! not retry.

use std::time::Instant;

use serde_json::{Value, json};

use super::clients::requests_during;
use super::{AddOn, NAMESPACE, list, quote_service_pod};
use crate::EPC;
use crate::cluster::{kubectl, node, node_name, try_kubectl};

/// The number of updates, unless the variable `SURGES` is set. Each takes 5 to 12 seconds.
const SURGES: u32 = 10;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn no_quote_of_an_unmodified_client_fails_during_surges() {
    let surges = std::env::var("SURGES").map_or(SURGES, |number| number.parse().unwrap());
    // Nodes are updated one after another.
    let only = format!("kubernetes.io/hostname={}", node_name());
    let _add_on = AddOn::install(&["--enable-sgxquotehelper", "--node-selector", &only]);
    quote_service_pod();
    let epc = allocatable();
    let begin = Instant::now();
    let requests = requests_during(|| {
        for number in 1..=surges {
            for daemon_set in ["sgx-plugin", "sgx-quote-helper"] {
                update(daemon_set, number);
            }
            for daemon_set in ["sgx-plugin", "sgx-quote-helper"] {
                is_rolled_out(daemon_set);
            }
            assert_eq!(allocatable(), epc, "EPC leaves the node");
        }
    });
    eprintln!(
        "{surges} surges in {:?}: {} quotes, {} failed, the longest in {:?}",
        begin.elapsed(),
        requests.made,
        requests.failures.len(),
        requests.longest
    );
    assert!(requests.failures.is_empty(), "{:?}", requests.failures);
    assert!(requests.made > 100 * u64::from(surges), "{}", requests.made);
}

fn update(daemon_set: &str, number: u32) {
    let annotations = json!({ "add-on-test/surge": number.to_string() });
    let template = json!({ "metadata": { "annotations": annotations } });
    let patch = json!({ "spec": { "template": template } }).to_string();
    kubectl(&["patch", "daemonset", daemon_set, "-n", NAMESPACE, "-p", &patch], "");
}

#[track_caller]
fn is_rolled_out(daemon_set: &str) {
    let status = ["rollout", "status", &format!("daemonset/{daemon_set}"), "--timeout=60s"];
    let rolled_out = try_kubectl(&[&status[..], &["-n", NAMESPACE]].concat(), "");
    assert!(rolled_out.status.success(), "{rolled_out:?}: {:#?}", list("pods", NAMESPACE));
}

fn allocatable() -> Value {
    node()["status"]["allocatable"][EPC].clone()
}
