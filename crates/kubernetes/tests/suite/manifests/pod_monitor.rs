//! The PodMonitor.

use kubernetes::manifests::{AddOn, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{all, customized, objects};
use crate::manifests::{find, is, kind};

#[test]
fn it_is_optional() {
    for choice in all() {
        let found = choice.objects.iter().filter(|object| kind(object) == "PodMonitor").count();
        assert_eq!(found, usize::from(choice.add_on.pod_monitor));
    }
    assert!(!AddOn::default().pod_monitor);
}

#[test]
fn all_pods_are_scraped_at_a_port_that_their_policy_opens() {
    let objects = objects(&customized(Platform::Dcap));
    let monitor = find(&objects, "PodMonitor", "sgx-quote-helper");
    assert_eq!(monitor["metadata"]["namespace"], "sgx-quote-helper");
    let selected = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
    let scraped = &monitor["spec"]["podMetricsEndpoints"][0]["port"];
    let mut workloads = 0;
    for object in &objects {
        let template = &object.data["spec"]["template"];
        let Some(labels) = template["metadata"]["labels"].as_object() else { continue };
        workloads += 1;
        assert!(selected.iter().all(|(label, value)| labels[label] == *value), "{labels:?}");
        let ports = template["spec"]["containers"][0]["ports"].as_array().unwrap();
        let port = ports.iter().find(|port| port["name"] == *scraped).unwrap();
        let name = object.metadata.name.as_deref().unwrap();
        let policy = find(&objects, "NetworkPolicy", name);
        let mut rules = policy["spec"]["ingress"].as_array().unwrap().iter();
        let is_open = |rule: &Value| {
            let ports = rule["ports"].as_array().unwrap();
            ports.iter().any(|open| open["port"] == port["containerPort"])
        };
        assert!(rules.any(is_open), "{name}");
    }
    assert_eq!(workloads, 4);
}

/// Dashboard and alerts know the jobs `quote-helper` and `sgx-pccs`.
#[test]
fn jobs_are_named_as_in_the_alerts() {
    let objects = objects(&customized(Platform::Dcap));
    assert!(objects.iter().any(|object| is(object, "PodMonitor", "sgx-quote-helper")));
    let monitor = find(&objects, "PodMonitor", "sgx-quote-helper");
    let relabelings = monitor["spec"]["podMetricsEndpoints"][0]["relabelings"].as_array().unwrap();
    let name = json!(["__meta_kubernetes_pod_label_app_kubernetes_io_name"]);
    assert_eq!(relabelings[0], json!({ "sourceLabels": name, "targetLabel": "job" }));
    let renamed = json!({
        "sourceLabels": name,
        "regex": "sgx-quote-helper",
        "targetLabel": "job",
        "replacement": "quote-helper",
    });
    assert_eq!(relabelings[1], renamed);
    let rules = include_str!("../../../../../deploy/monitoring/prometheus-rules.yaml");
    assert!(rules.contains(r#"{job="quote-helper"}"#) && rules.contains(r#"{job="sgx-pccs"}"#));
}
