//! The admission policies on a real API server, which etcd and kube-apiserver alone are enough for:
//! nothing is created but policies and namespaces.
//!
//! A pod that the policy has changed must be equal to one that `inject` has changed.

mod aks_page;
mod cases;
mod policies;
mod warnings;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::try_kubectl;
use cases::{Case, SETTINGS};
use policies::Policies;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn policies_do_what_inject_does() {
    let policies = Policies::install(&SETTINGS);
    let mut differing = Vec::new();
    let mut compared = 0;
    for settings in SETTINGS {
        let cases = Case::of(settings);
        let pods = cases.iter().map(|case| case.pod.clone());
        let by_policy = created(&policies.namespace(settings), pods);
        let by_inject = created(&policies.untouched(), cases.iter().map(Case::injected));
        for case in &cases {
            let (is, should) = (by_policy.get(&case.name), by_inject.get(&case.name));
            compared += usize::from(should.is_some());
            if is != should {
                let text = |pod| serde_json::to_string_pretty(&pod).unwrap();
                differing.push(format!("{}: {} is not {}", case.name, text(is), text(should)));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(compared > 150, "only {compared} pods were accepted by the API server");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn pods_with_many_containers_stay_within_the_limits_of_cel() {
    let policies = Policies::install(&["node_status"]);
    let container = |name: String| {
        let env: Vec<_> =
            (0..10).map(|n| json!({ "name": format!("A{n}"), "value": "" })).collect();
        let limits = json!({ (crate::EPC): 1 });
        json!({ "name": name, "image": "x", "env": env, "resources": { "limits": limits } })
    };
    let containers = |prefix: &str| -> Vec<_> {
        (0..100).map(|number| container(format!("{prefix}{number}"))).collect()
    };
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "many",
            "annotations": { "sgx.intel.com/quote-provider": "aesmd" },
        },
        "spec": { "initContainers": containers("i"), "containers": containers("c") },
    });
    let created = created(&policies.namespace("node_status"), [pod]);
    let pod = &created["many"];
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array().unwrap() {
            assert_eq!(container["resources"]["limits"][crate::ENCLAVE], "1");
            assert_eq!(container["env"][10]["name"], "SGX_AESM_ADDR");
        }
    }
    assert_eq!(pod["annotations"]["sgx.intel.com/epc"], (100 << 20).to_string());
}

/// The parts that injection may change of the pods that the API server would create, by name. It
/// refuses some.
fn created(namespace: &str, pods: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": Vec::from_iter(pods) });
    // With kubectl's own validation, one invalid pod would keep it from sending the others.
    let arguments = ["create", "--validate=false", "--dry-run=server", "-o=json", "-f=-"];
    let output = try_kubectl(&[&arguments[..], &["-n", namespace]].concat(), &list.to_string());
    // An object for each pod, one after the other.
    let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let objects =
        objects.map(|object| object.unwrap()).flat_map(|object| match object["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![object],
        });
    let pods = objects.map(|pod| (pod["metadata"]["name"].as_str().unwrap().to_owned(), part(pod)));
    let pods: BTreeMap<_, _> = pods.collect();
    assert!(!pods.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    pods
}

/// The API server itself adds tolerations before injection by a policy, and after that by `inject`.
fn part(mut pod: Value) -> Value {
    let tolerations = pod["spec"]["tolerations"].as_array_mut().unwrap();
    tolerations.sort_by_key(Value::to_string);
    json!({
        "labels": pod["metadata"]["labels"],
        "annotations": pod["metadata"]["annotations"],
        "spec": pod["spec"],
    })
}
