//! `check --cluster` and pods that get no node, no socket or no quote service.

use serde_json::Value;

use super::{AddOn, NAMESPACE, list, quote_helper};
use crate::cluster::{eventually, kubectl, node_name};
use crate::pod::Pod;
use crate::{EPC, INTEL_EPC};

/// The findings of this name.
fn findings(name: &str) -> Vec<Value> {
    let checked = quote_helper(&["check", "--cluster", "--output=json"]);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let sections = checked["sections"].as_array().unwrap();
    let findings = sections.iter().flat_map(|section| section["findings"].as_array().unwrap());
    findings.filter(|finding| finding["name"] == name).cloned().collect()
}

/// Waits until `check` has one finding of this name, with this value, and returns it.
#[track_caller]
fn found(name: &str, value: &str) -> Value {
    eventually(&format!("{name}: {value}"), || {
        findings(name).into_iter().find(|finding| finding["value"] == value)
    })
}

#[track_caller]
fn contains(finding: &Value, field: &str, text: &str) {
    assert!(finding[field].as_str().unwrap().contains(text), "{text}: {finding:#}");
}

/// The two pods about which `check` once had nothing to say, and the others that wait.
#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn pending_pods_have_reason_and_fix() {
    let _add_on = AddOn::install_with_quote_service();
    assert_eq!(findings("pending-pod"), Vec::<Value>::new());

    let misspelled = Pod::create(&[("sgx.intel.com/sgx_epc_mem_in_MiB", 10)]);
    let finding = found("pending-pod", "unknown-resource");
    assert_eq!(finding["status"], "failed");
    contains(&finding, "fix", "kubernetes.azure.com/sgx_epc_mem_in_MiB: 10");
    misspelled.ends();

    let of_intel = Pod::create(&[(INTEL_EPC, 10 << 20)]);
    let finding = found("pending-pod", "unknown-resource");
    contains(&finding, "fix", "kubernetes.azure.com/sgx_epc_mem_in_MiB: 10");
    contains(&finding, "fix", "--resource-profile intel");
    of_intel.ends();

    let large = Pod::create(&[(EPC, 100_000)]);
    let finding = found("pending-pod", "too-large");
    contains(&finding, "detail", "it asks for 100000 MiB");
    contains(&finding, "fix", "MiB at most");
    large.ends();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn excluded_pods_and_full_nodes_are_told_apart() {
    let _add_on = AddOn::install_with_quote_service();
    let node = node_name();
    let allocatable = crate::cluster::node()["status"]["allocatable"][EPC].clone();
    let allocatable: u64 = allocatable.as_str().unwrap().parse().unwrap();
    let holders = holders(allocatable - 20);
    let waiting = Pod::create(&[(EPC, 21)]);
    let finding = found("pending-pod", "no-free-quantity");
    assert_eq!(finding["status"], "warning");
    contains(&finding, "detail", &format!("{node} has "));
    contains(&finding, "detail", "the rest is held by pod/default/device-plugin-test-");
    drop(holders);
    waiting.runs().ends();

    let closed = [ClosedNodes::cordoned, ClosedNodes::tainted];
    for (close, fix) in closed.into_iter().zip(["kubectl uncordon ", "tolerations"]) {
        let nodes = close();
        let waiting = Pod::create(&[(EPC, 1)]);
        let finding = found("pending-pod", "excluded");
        contains(&finding, "fix", fix);
        drop(nodes);
        waiting.runs().ends();
    }
}

/// A pod on each node, with this much EPC.
fn holders(epc: u64) -> Vec<Pod> {
    let nodes: Value = serde_json::from_str(&kubectl(&["get", "nodes", "-o=json"], "")).unwrap();
    let nodes = nodes["items"].as_array().unwrap().clone();
    nodes.iter().map(|_| Pod::create(&[(EPC, epc)]).runs()).collect()
}

/// Nodes that take no pods until this is dropped.
struct ClosedNodes {
    /// The arguments of kubectl that open them, before the node's name and after it.
    open: (&'static [&'static str], &'static [&'static str]),
}

impl ClosedNodes {
    fn cordoned() -> Self {
        each_node((&["cordon"], &[]));
        Self { open: (&["uncordon"], &[]) }
    }

    fn tainted() -> Self {
        each_node((&["taint", "node"], &["pool=other:NoSchedule"]));
        Self { open: (&["taint", "node"], &["pool=other:NoSchedule-"]) }
    }
}

impl Drop for ClosedNodes {
    fn drop(&mut self) {
        each_node(self.open);
    }
}

/// Runs kubectl for each node, with arguments before and after its name.
fn each_node((before, after): (&[&str], &[&str])) {
    let names = kubectl(&["get", "nodes", "-o=jsonpath={.items[*].metadata.name}"], "");
    for name in names.split_whitespace() {
        kubectl(&[before, &[name], after].concat(), "");
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_pod_on_a_node_without_a_quote_service_is_named() {
    let _add_on = AddOn::install_with_quote_service();
    let mut container = crate::pod::container("main", &[(EPC, 1)]);
    container["env"] = serde_json::json!([{ "name": "SGX_AESM_ADDR", "value": "1" }]);
    let pod = Pod::of_spec(serde_json::json!({ "containers": [container] })).runs();
    assert_eq!(findings("pod-socket"), Vec::<Value>::new());
    let nowhere = r#"{"spec":{"template":{"spec":{"nodeSelector":{"none":"here"}}}}}"#;
    kubectl(&["patch", "daemonset/sgx-quote-helper", "-n", NAMESPACE, "-p", nowhere], "");
    eventually("the quote services are gone", || {
        let pods = list("pods", NAMESPACE);
        let is_service = |pod: &&Value| {
            pod["metadata"]["labels"]["app.kubernetes.io/name"] == "sgx-quote-helper"
        };
        (pods.iter().filter(is_service).count() == 0).then_some(())
    });
    let finding = found("pod-socket", "no-quote-service");
    contains(&finding, "detail", "has no quote service");
    pod.ends();
}
