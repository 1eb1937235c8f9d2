//! Network policies.

use std::collections::BTreeSet;

use kube::core::DynamicObject;
use kubernetes::manifests::Platform;
use serde_json::{Value, json};

use crate::manifests::choices::{all, everything, objects};
use crate::manifests::{find, kind};

fn pod_labels(object: &DynamicObject) -> &Value {
    &object.data["spec"]["template"]["metadata"]["labels"]
}

#[test]
fn each_pod_has_one_policy_and_it_comes_first() {
    for choice in all() {
        let objects = &choice.objects;
        let is_policy = |object: &&DynamicObject| kind(object) == "NetworkPolicy";
        let policies: Vec<_> = objects.iter().filter(is_policy).collect();
        let workloads = || objects.iter().filter(|object| pod_labels(object).is_object());
        for workload in workloads() {
            let labels = pod_labels(workload);
            let selecting = policies.iter().filter(|policy| {
                let selector = &policy.data["spec"]["podSelector"]["matchLabels"];
                let mut selector = selector.as_object().unwrap().iter();
                selector.all(|(label, value)| labels[label] == *value)
            });
            assert_eq!(selecting.count(), 1, "{:?}", workload.metadata.name);
        }
        assert_eq!(policies.len(), workloads().count());
        let place = |wanted: &str| objects.iter().position(|object| kind(object) == wanted);
        assert!(place("NetworkPolicy") < place("DaemonSet"));
    }
}

/// The ports that anybody may connect to, by policy, and those that the pods have.
#[test]
fn only_public_ports_are_open() {
    for (platform, name, open) in [
        (Platform::Dcap, "sgx-plugin", vec![]),
        (Platform::Dcap, "sgx-quote-helper", vec![]),
        (Platform::Software, "sgx-quote-helper", vec![17492]),
        (Platform::Dcap, "sgx-webhook", vec![8443]),
        (Platform::Dcap, "sgx-pccs", vec![8081]),
    ] {
        let policy = find(&objects(&everything(platform)), "NetworkPolicy", name);
        let mut to_everybody = BTreeSet::new();
        let mut to_some = BTreeSet::new();
        for rule in policy["spec"]["ingress"].as_array().unwrap() {
            let ports = rule["ports"].as_array().unwrap().iter().map(|port| port["port"].as_i64());
            if rule["from"].is_null() { &mut to_everybody } else { &mut to_some }.extend(ports);
        }
        assert_eq!(to_everybody.into_iter().flatten().collect::<Vec<_>>(), open, "{name}");
        assert_eq!(to_some.into_iter().flatten().collect::<Vec<_>>(), [17490], "{name}");
    }
}

#[test]
fn metrics_are_open_to_labelled_namespaces() {
    let policy = find(&objects(&everything(Platform::Dcap)), "NetworkPolicy", "sgx-plugin");
    let collectors = json!([
        { "podSelector": {} },
        { "namespaceSelector": { "matchLabels": { "metrics": "enabled" } } },
    ]);
    assert_eq!(policy["spec"]["ingress"][0]["from"], collectors);
}

#[test]
fn egress_is_closed_where_unused() {
    for (platform, name, asks) in [
        (Platform::Dcap, "sgx-plugin", true),
        (Platform::Software, "sgx-quote-helper", false),
        (Platform::Dcap, "sgx-quote-helper", true),
        (Platform::Dcap, "sgx-webhook", true),
        (Platform::Dcap, "sgx-pccs", true),
    ] {
        let policy = find(&objects(&everything(platform)), "NetworkPolicy", name);
        assert!(policy["spec"]["policyTypes"].as_array().unwrap().contains(&json!("Egress")));
        let egress = if asks { json!([{}]) } else { json!([]) };
        assert_eq!(policy["spec"]["egress"], egress, "{name}");
    }
}
