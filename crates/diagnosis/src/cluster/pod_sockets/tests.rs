//! Pods with a node that lack something.

use k8s_openapi::api::apps::v1::DaemonSet;
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::manifests::{AddOn, Cluster, DEVICE_PLUGIN};
use serde_json::{Value, json};

use super::*;
use crate::cluster::fixtures::{EPC, in_order, typed};
use crate::finding::Status;

const ENCLAVE: &str = "sgx.intel.com/enclave";

/// A pod on the node `n1` with these containers.
fn pod(containers: &Value) -> Pod {
    typed(json!({
        "metadata": { "name": "app", "namespace": "shop" },
        "spec": { "nodeName": "n1", "containers": containers },
        "status": { "phase": "Running" },
    }))
}

fn container(limits: &Value, variable: bool) -> Value {
    let env = if variable { json!([{ "name": "SGX_AESM_ADDR", "value": "1" }]) } else { json!([]) };
    json!({ "name": "c", "resources": { "limits": limits }, "env": env })
}

/// A cluster that counts EPC in this way, with the device plugin's DaemonSet of an installation.
fn counting(epc_accounting: EpcAccounting) -> Facts {
    let add_on = AddOn { epc_accounting, ..AddOn::default() };
    let mut objects = add_on.objects(&Cluster::default()).unwrap().into_iter();
    let daemon_set = objects.find(|object| {
        let is_daemon_set = object.types.as_ref().is_some_and(|types| types.kind == "DaemonSet");
        is_daemon_set && object.metadata.name.as_deref() == Some(DEVICE_PLUGIN)
    });
    let daemon_set: DaemonSet = daemon_set.unwrap().try_parse().unwrap();
    Facts { device_plugin: Ok(Some(daemon_set)), ..in_order() }
}

fn found(pod: Pod, facts: Facts) -> Vec<Finding> {
    findings(&Facts { pods: Ok(vec![pod]), ..facts })
}

#[track_caller]
fn is(found: Vec<Finding>, value: &str, detail: &str, fix: &str) {
    let [finding] = <[Finding; 1]>::try_from(found).unwrap();
    assert_eq!((finding.status, finding.value.as_deref()), (Status::Failed, Some(value)));
    assert_eq!(finding.object.as_deref(), Some("pod/shop/app"));
    assert!(finding.detail.contains(detail), "{finding:?}");
    assert!(finding.fix.as_deref().unwrap().contains(fix), "{finding:?}");
}

#[test]
fn the_counter_of_epc_is_that_of_the_installation() {
    for epc_accounting in [EpcAccounting::Devices, EpcAccounting::NodeStatus] {
        assert_eq!(counting(epc_accounting).epc_accounting(), epc_accounting);
    }
}

#[test]
fn a_pod_that_admission_did_not_see_is_to_be_recreated() {
    let missed = || pod(&json!([container(&json!({ EPC: "1" }), true)]));
    let by_status = || counting(EpcAccounting::NodeStatus);
    let detail = "container \"c\" lacks sgx.intel.com/enclave, so it has no enclave device";
    is(found(missed(), by_status()), "not-admitted", detail, "kubectl -n shop delete pod app");
    assert_eq!(found(missed(), counting(EpcAccounting::Devices)), []);
    let seen = pod(&json!([container(&json!({ EPC: "1", ENCLAVE: "1" }), true)]));
    assert_eq!(found(seen, by_status()), []);

    let mut annotated = pod(&json!([container(&json!({ EPC: "1" }), false)]));
    let annotations = json!({ "sgx.intel.com/quote-provider": "aesmd" });
    annotated.metadata.annotations = Some(typed(annotations));
    is(found(annotated, in_order()), "not-admitted", "lacks SGX_AESM_ADDR", "delete pod app");
}

#[test]
fn a_pod_that_admission_leaves_alone_has_another_fix() {
    let mut refusing = pod(&json!([container(&json!({ EPC: "1" }), true)]));
    refusing.metadata.labels = Some(typed(json!({ "sgx-quote-helper/inject": "false" })));
    let by_status = || counting(EpcAccounting::NodeStatus);
    is(found(refusing, by_status()), "not-admitted", "its label", "remove that label");
    let mut of_cluster = pod(&json!([container(&json!({ EPC: "1" }), true)]));
    of_cluster.metadata.namespace = Some("kube-system".to_owned());
    let finding = &found(of_cluster, by_status())[0];
    assert!(finding.detail.contains("kube-system alone"), "{finding:?}");
    assert!(finding.fix.as_ref().unwrap().contains("quote-helper inject -f"), "{finding:?}");
}

#[test]
fn a_container_with_the_variable_and_without_epc_has_no_socket() {
    let with_epc = container(&json!({ EPC: "1" }), false);
    let mut sidecar = container(&json!({}), true);
    sidecar["name"] = json!("sidecar");
    let both = pod(&json!([with_epc, sidecar]));
    is(found(both, in_order()), "no-socket", "no socket in: \"sidecar\"", "ask for EPC in that");
    let mounts = json!([{ "name": "v", "mountPath": "/run/aesmd" }]);
    sidecar["volumeMounts"] = mounts;
    assert_eq!(found(pod(&json!([with_epc, sidecar])), in_order()), []);
}

#[test]
fn a_pod_on_a_node_without_a_quote_service_is_named() {
    let uses = || pod(&json!([container(&json!({ EPC: "1" }), true)]));
    assert_eq!(found(uses(), in_order()), []);
    let without = Facts { add_on_pods: Ok(Vec::new()), ..in_order() };
    let detail = "its node n1 has no quote service: /var/run/aesmd is empty there";
    is(found(uses(), without), "no-quote-service", detail, "`no-quote-service`");
    let mut unready = in_order();
    for pod in unready.add_on_pods.as_mut().unwrap() {
        pod.status.as_mut().unwrap().conditions = None;
    }
    let detail = "the quote service of its node n1, sgx-quote-helper-1, is not ready";
    is(found(uses(), unready), "no-quote-service", detail, "`sgx-quote-helper`");
    let in_process = pod(&json!([container(&json!({ EPC: "1" }), false)]));
    let without = Facts { add_on_pods: Ok(Vec::new()), ..in_order() };
    assert_eq!(found(in_process, without), []);
}

#[test]
fn ended_pods_and_clusters_without_the_add_on_have_no_findings() {
    let by_status = || counting(EpcAccounting::NodeStatus);
    let mut ended = pod(&json!([container(&json!({ EPC: "1" }), true)]));
    ended.status = Some(typed(json!({ "phase": "Succeeded" })));
    assert_eq!(found(ended, by_status()), []);
    let none =
        Facts { device_plugin: Ok(None), quote_service: Ok(None), webhook: Ok(None), ..in_order() };
    assert_eq!(found(pod(&json!([container(&json!({ EPC: "1" }), true)])), none), []);
}
