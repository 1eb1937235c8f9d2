//! Warnings by the policy, about pods and workloads.

use serde_json::{Value, json};

use super::policies::Policies;
use crate::cluster::try_kubectl;

/// A container of a pod with a mistake, other fields of the pod, and a part of the warning.
fn mistakes() -> Vec<(Value, Value, &'static str)> {
    let limits = |limits: Value| json!({ "resources": { "limits": limits } });
    let epc = || limits(json!({ (crate::EPC): 10 }));
    let with = |mut container: Value, field: &str, value: Value| {
        container[field] = value;
        container
    };
    let annotated =
        |name: &str, value: &str| json!({ "metadata": { "annotations": { name: value } } });
    let labelled = |name: &str, value: &str| json!({ "metadata": { "labels": { name: value } } });
    let variable = || json!([{ "name": "SGX_AESM_ADDR", "value": "1" }]);
    let socket = json!([{ "name": "socket", "mountPath": "/var/run/aesmd/aesm.socket" }]);
    let volume = json!([{ "name": "socket", "emptyDir": {} }]);
    let both = limits(json!({ (crate::EPC): 10, (crate::PROVISION): 1 }));
    vec![
        (limits(json!({ "sgx.intel.com/sgx_epc_mem_in_MiB": 1 })), json!({}), "does not offer"),
        (with(json!({}), "env", variable()), json!({}), "no container requests EPC"),
        (limits(json!({ (crate::EPC): 0 })), json!({}), "gives it no enclave memory"),
        (limits(json!({ (crate::EPC): "10Mi" })), json!({}), "counts MiB already"),
        (limits(json!({ (crate::INTEL_EPC): "10" })), json!({}), "too few for an enclave"),
        (limits(json!({ (crate::EPC): 1_048_577 })), json!({}), "which no node has"),
        (with(epc(), "volumeMounts", socket), json!({ "volumes": volume }), "goes stale"),
        (with(both, "env", variable()), json!({}), "leave out one of them"),
        (with(epc(), "securityContext", json!({ "runAsUser": 61101 })), json!({}), "runAsUser"),
        (epc(), json!({ "securityContext": { "runAsUser": 61100 } }), "runAsUser"),
        (epc(), annotated("sgx.intel.com/quote-provider", "ap"), "not a container of the pod"),
        (epc(), labelled("sgx-quote-helper/inject", "yes"), "write \"true\""),
        (epc(), annotated("sgx-quote-helper/inject", "true"), "is a label"),
        (epc(), labelled("sgx.intel.com/quote-provider", "aesmd"), "is an annotation"),
    ]
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn mistakes_are_warned_of_and_refused_never() {
    let policies = Policies::install(&["node_status"]);
    let namespace = policies.namespace("node_status");
    let fine = json!({ "resources": { "limits": { (crate::EPC): 10 } } });
    let none = pods(fine, &json!({})).map(|pod| warnings(&namespace, &pod));
    assert_eq!(none, ["", "", ""]);
    for (container, others, expected) in mistakes() {
        for object in pods(container, &others) {
            let warnings = warnings(&namespace, &object);
            assert!(warnings.contains(expected), "{object} {expected}: {warnings:?}");
        }
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_cluster_without_a_quote_service_is_named() {
    let policies = Policies::install(&["no_quote_service"]);
    let container = json!({
        "resources": { "limits": { (crate::EPC): 10 } },
        "env": [{ "name": "SGX_AESM_ADDR", "value": "1" }],
    });
    let namespace = policies.namespace("no_quote_service");
    for object in pods(container, &json!({})) {
        assert!(warnings(&namespace, &object).contains("this cluster's nodes have none"));
    }
}

/// A pod, a Deployment and a CronJob with this container.
fn pods(mut container: Value, others: &Value) -> [Value; 3] {
    container["name"] = json!("app");
    container["image"] = json!("x");
    let mut spec = json!({ "containers": [container], "restartPolicy": "Always" });
    for field in ["volumes", "securityContext"] {
        if !others[field].is_null() {
            spec[field] = others[field].clone();
        }
    }
    let mut metadata = json!({ "labels": { "app": "app" } });
    if let Some(labels) = others["metadata"]["labels"].as_object() {
        metadata["labels"].as_object_mut().unwrap().extend(labels.clone());
    }
    if !others["metadata"]["annotations"].is_null() {
        metadata["annotations"] = others["metadata"]["annotations"].clone();
    }
    let template = json!({ "metadata": metadata, "spec": spec });
    let mut pod = template.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!("mistake");
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "mistake" },
        "spec": { "selector": { "matchLabels": { "app": "app" } }, "template": template },
    });
    let mut once = template;
    once["spec"]["restartPolicy"] = json!("Never");
    let cron_job = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": "mistake" },
        "spec": { "schedule": "@daily", "jobTemplate": { "spec": { "template": once } } },
    });
    [pod, deployment, cron_job]
}

/// The warnings upon the creation of an object, which must succeed.
#[track_caller]
fn warnings(namespace: &str, object: &Value) -> String {
    let arguments = ["create", "--dry-run=server", "-f=-", "-n", namespace];
    let output = try_kubectl(&arguments, &object.to_string());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{object}: {stderr}");
    stderr
}
