//! Clusters that do not know everything yet.

use kube::core::DynamicObject;
use kubernetes::manifests::{AddOn, ClusterPccs, InjectionMethod, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{cluster, everything};
use crate::manifests::{find, kind};

#[test]
fn new_pods_are_ready_before_old_ones_end_where_daemon_sets_can_surge() {
    for (name, before) in [("sgx-quote-helper", json!(1)), ("sgx-plugin", json!("10%"))] {
        for (version, surge, unavailable) in [
            ("1.21", Value::Null, before),
            ("1.22", json!(1), json!(0)),
            ("1.33", json!(1), json!(0)),
        ] {
            let objects = everything(Platform::Dcap).objects(&cluster(version)).unwrap();
            let daemon_set = find(&objects, "DaemonSet", name);
            let rolling_update = &daemon_set["spec"]["updateStrategy"]["rollingUpdate"];
            assert_eq!(rolling_update["maxSurge"], surge, "{name} {version}");
            assert_eq!(rolling_update["maxUnavailable"], unavailable, "{name} {version}");
        }
    }
    // Two pods at a time are to have the provisioning key then.
    let objects = everything(Platform::Dcap).objects(&cluster("1.33")).unwrap();
    let plugin = find(&objects, "DaemonSet", "sgx-plugin");
    let arguments = plugin["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(arguments.contains("--provision-limit=2"), "{arguments}");
}

#[test]
fn disruption_budgets_depend_on_the_version() {
    for (version, has) in [("1.20", false), ("1.21", true)] {
        let objects = everything(Platform::Dcap).objects(&cluster(version)).unwrap();
        let found = objects.iter().any(|object| kind(object) == "PodDisruptionBudget");
        assert_eq!(found, has, "{version}");
    }
}

#[test]
fn deployments_start_new_pods_first_unless_a_volume_forbids_it() {
    let first = json!({ "maxSurge": 1, "maxUnavailable": 0 });
    let strategy = |add_on: &AddOn, name| {
        let objects = add_on.objects(&cluster("1.20")).unwrap();
        find(&objects, "Deployment", name)["spec"]["strategy"].clone()
    };
    let mut add_on = everything(Platform::Dcap);
    assert_eq!(strategy(&add_on, "sgx-webhook")["rollingUpdate"], first);
    add_on.cluster_pccs = Some(ClusterPccs::default());
    assert_eq!(strategy(&add_on, "sgx-pccs")["rollingUpdate"], first);
    let storage = Some("1Gi".to_owned());
    add_on.cluster_pccs = Some(ClusterPccs { storage, ..ClusterPccs::default() });
    assert_eq!(strategy(&add_on, "sgx-pccs"), json!({ "type": "Recreate" }));
}

#[test]
fn the_method_of_injection_depends_on_the_version() {
    use InjectionMethod::{Policy, Webhook};
    for (version, chosen, method) in [
        ("1.35", None, Webhook),
        ("1.36", None, Policy),
        ("1.37", None, Policy),
        ("1.37", Some(Webhook), Webhook),
        ("1.35", Some(Policy), Policy),
    ] {
        let add_on = AddOn { injection: chosen, ..everything(Platform::Dcap) };
        let objects = add_on.objects(&cluster(version)).unwrap();
        let has = |wanted: &str| objects.iter().any(|object| kind(object) == wanted);
        assert_eq!(has("MutatingAdmissionPolicy"), method == Policy, "{version}");
        assert_eq!(has("MutatingWebhookConfiguration"), method == Webhook, "{version}");
        let named = |object: &&DynamicObject| {
            object.metadata.name.as_ref().is_some_and(|name| name.starts_with("sgx-webhook"))
        };
        assert_eq!(objects.iter().any(|it| named(&it)), method == Webhook, "{version}");
    }
}
