//! Pods that no node takes.

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

use super::*;
use crate::cluster::fixtures::{EPC, NAMESPACE, in_order, node, plain_node, typed};
use crate::finding::Status;

const INTEL_EPC: &str = "sgx.intel.com/epc";
const PROVISION: &str = "sgx.intel.com/provision";

/// A pod that asks for these limits and waits for a node.
fn pending(limits: &Value) -> Pod {
    typed(json!({
        "metadata": { "name": "app", "namespace": "shop" },
        "spec": { "containers": [{ "name": "c", "resources": { "limits": limits } }] },
        "status": { "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }] },
    }))
}

/// A pod of this name on the node `n1`, with MiB of EPC.
fn running(name: &str, epc: u32) -> Pod {
    let mut pod = pending(&json!({ EPC: epc.to_string() }));
    pod.metadata.name = Some(name.to_owned());
    pod.spec.as_mut().unwrap().node_name = Some("n1".to_owned());
    pod.status = Some(typed(json!({ "phase": "Running" })));
    pod
}

/// The finding about the pod, on these nodes beside these pods.
#[track_caller]
fn found(pod: Pod, nodes: Vec<Node>, others: Vec<Pod>) -> Finding {
    let pods = [vec![pod], others].concat();
    let facts = Facts { nodes: Ok(nodes), pods: Ok(pods), ..in_order() };
    let [finding] = <[Finding; 1]>::try_from(findings(&facts)).unwrap();
    assert_eq!(finding.object.as_deref(), Some("pod/shop/app"));
    finding
}

#[track_caller]
fn is(finding: &Finding, status: Status, value: &str, detail: &str, fix: &str) {
    assert_eq!((finding.status, finding.value.as_deref()), (status, Some(value)), "{finding:?}");
    assert!(finding.detail.contains(detail), "{finding:?}");
    assert!(finding.fix.as_deref().unwrap().contains(fix), "{finding:?}");
}

#[test]
fn a_name_that_nobody_offers_has_the_right_one_in_its_unit() {
    for (name, asked, fix) in [
        (
            "sgx.intel.com/sgx_epc_mem_in_MiB",
            "10",
            "write `kubernetes.azure.com/sgx_epc_mem_in_MiB: 10`",
        ),
        (INTEL_EPC, "10Mi", "write `kubernetes.azure.com/sgx_epc_mem_in_MiB: 10`"),
        (INTEL_EPC, "10Mi", "--resource-profile intel"),
        ("sgx.example/epc", "1", "write `kubernetes.azure.com/sgx_epc_mem_in_MiB: 1`"),
    ] {
        let finding = found(pending(&json!({ name: asked })), vec![node("n1")], Vec::new());
        let detail = format!("of {name}, which no node offers");
        is(&finding, Status::Failed, "unknown-resource", &detail, fix);
    }
}

/// Admission adds it to pods with the EPC of this name.
#[test]
fn the_device_node_is_not_blamed_for_unknown_epc() {
    let asked = json!({ INTEL_EPC: "10Mi", "sgx.intel.com/enclave": "1" });
    let finding = found(pending(&asked), vec![node("n1")], Vec::new());
    let fix = "write `kubernetes.azure.com/sgx_epc_mem_in_MiB: 10`";
    is(&finding, Status::Failed, "unknown-resource", "sgx.intel.com/epc, which no node", fix);
}

#[test]
fn without_any_epc_the_device_plugin_is_named() {
    let finding = found(pending(&json!({ EPC: "1" })), vec![plain_node("n1")], Vec::new());
    is(&finding, Status::Failed, "unknown-resource", "no node offers", "`sgx-plugin`");
    let finding = found(pending(&json!({ PROVISION: "1" })), vec![node("n1")], Vec::new());
    is(&finding, Status::Failed, "unknown-resource", "no node offers", "`sgx-plugin`");
}

#[test]
fn a_resource_that_is_unusable_at_present_is_no_unknown_one() {
    let mut unusable = node("n1");
    unusable.status.as_mut().unwrap().allocatable = Some(typed(json!({ EPC: "0" })));
    let finding = found(pending(&json!({ EPC: "1" })), vec![unusable], Vec::new());
    is(&finding, Status::Failed, "unusable-resource", "no node has any", "`sgx-plugin`");
}

#[test]
fn a_request_larger_than_any_node_has_the_largest() {
    let mut small = node("n0");
    small.status.as_mut().unwrap().allocatable = Some(typed(json!({ EPC: "32" })));
    let finding = found(pending(&json!({ EPC: "65" })), vec![small, node("n1")], Vec::new());
    let detail = "it asks for 65 MiB of kubernetes.azure.com/sgx_epc_mem_in_MiB; the node with most, \
                  n1, has 64 MiB";
    is(&finding, Status::Failed, "too-large", detail, "64 MiB at most");
}

#[test]
fn provision_counts_like_epc() {
    let mut one = node("n1");
    let offered = json!({ EPC: "64", PROVISION: "2" });
    one.status.as_mut().unwrap().allocatable = Some(typed(offered));
    let finding = found(pending(&json!({ EPC: "1", PROVISION: "3" })), vec![one], Vec::new());
    let detail = "it asks for 3 of sgx.intel.com/provision; the node with most, n1, has 2";
    is(&finding, Status::Failed, "too-large", detail, "2 at most");
}

#[test]
fn two_names_that_no_single_node_has_are_named() {
    let mut other = node("n2");
    other.status.as_mut().unwrap().allocatable = Some(typed(json!({ INTEL_EPC: "64Mi" })));
    let asked = pending(&json!({ EPC: "1", INTEL_EPC: "1Mi" }));
    let finding = found(asked, vec![node("n1"), other], Vec::new());
    is(&finding, Status::Failed, "too-large", "no node has all", "under one name only");
}

#[test]
fn holders_of_a_full_node_are_named() {
    let others = vec![running("small", 10), running("large", 40)];
    let finding = found(pending(&json!({ EPC: "20" })), vec![node("n1")], others);
    let detail = "n1 has 14 of 64 MiB of kubernetes.azure.com/sgx_epc_mem_in_MiB free, and it asks \
                  for 20 MiB; the rest is held by pod/shop/large (40 MiB), pod/shop/small (10 MiB)";
    is(&finding, Status::Warning, "no-free-quantity", detail, "wait until one");
}

#[test]
fn labels_and_taints_that_exclude_nodes_have_the_command() {
    let taint = |key: &str| {
        let mut node = node("n1");
        let taint = json!({ "key": key, "effect": "NoSchedule" });
        node.spec = Some(typed(json!({ "taints": [taint] })));
        node
    };
    let finding = found(pending(&json!({ EPC: "1" })), vec![taint("pool")], Vec::new());
    let detail = "n1 has the taint pool:NoSchedule";
    is(&finding, Status::Failed, "excluded", detail, "{key: \"pool\", operator: Exists}");

    let cordoned = taint("node.kubernetes.io/unschedulable");
    let finding = found(pending(&json!({ EPC: "1" })), vec![cordoned], Vec::new());
    is(&finding, Status::Failed, "excluded", "n1 is cordoned", "kubectl uncordon n1");

    let mut picky = pending(&json!({ EPC: "1" }));
    picky.spec.as_mut().unwrap().node_selector = Some(typed(json!({ "pool": "sgx" })));
    let finding = found(picky, vec![node("n1"), plain_node("n2")], Vec::new());
    is(&finding, Status::Failed, "excluded", "lacks the label pool=sgx", "label node n1 pool=sgx");
}

#[test]
fn a_full_node_is_the_hope_of_a_pod_that_others_exclude() {
    let mut cordoned = node("n0");
    let taint = json!({ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" });
    cordoned.spec = Some(typed(json!({ "taints": [taint] })));
    let nodes = vec![cordoned, node("n1")];
    let finding = found(pending(&json!({ EPC: "60" })), nodes, vec![running("large", 40)]);
    is(&finding, Status::Warning, "no-free-quantity", "n0 is cordoned; n1 has 24", "wait until");
}

#[test]
fn other_reasons_are_the_schedulers_words() {
    let finding = found(pending(&json!({ EPC: "1" })), vec![node("n1")], Vec::new());
    is(
        &finding,
        Status::Warning,
        "other",
        "1 Insufficient cpu",
        "kubectl describe pod -n shop app",
    );
}

#[test]
fn pods_that_are_gated_new_ended_or_the_add_ons_are_left_out() {
    let asked = || pending(&json!({ EPC: "65" }));
    let with = |change: &dyn Fn(&mut Pod)| {
        let mut pod = asked();
        change(&mut pod);
        let facts = Facts { pods: Ok(vec![pod]), ..in_order() };
        findings(&facts).len()
    };
    let condition = |pod: &mut Pod, reason: &str| {
        let conditions = pod.status.as_mut().unwrap().conditions.as_mut().unwrap();
        conditions[0].reason = Some(reason.to_owned());
    };
    assert_eq!(with(&|_| ()), 1);
    assert_eq!(with(&|pod| condition(pod, "SchedulingGated")), 0);
    assert_eq!(with(&|pod| pod.status.as_mut().unwrap().conditions = None), 0);
    assert_eq!(with(&|pod| pod.metadata.namespace = Some(NAMESPACE.to_owned())), 0);
    let ending = json!("2030-01-01T00:00:00Z");
    assert_eq!(with(&|pod| pod.metadata.deletion_timestamp = Some(typed(ending.clone()))), 0);
    let failed = |pod: &mut Pod| pod.status.as_mut().unwrap().phase = Some("Failed".to_owned());
    assert_eq!(with(&failed), 0);
}

#[test]
fn of_many_some_are_named() {
    let pods = vec![pending(&json!({ EPC: "65" })); NAMED + 5];
    let found = findings(&Facts { pods: Ok(pods), ..in_order() });
    assert_eq!(found.len(), NAMED + 1);
    assert_eq!(found.last().unwrap().detail, "5 more pods have no node");
}
