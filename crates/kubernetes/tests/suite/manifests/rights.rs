//! Permissions at the API server.

use kubernetes::device_plugin::EpcAccounting;
use kubernetes::manifests::{AddOn, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{all, everything, objects};
use crate::manifests::{find, kind};

#[test]
fn only_clients_of_the_api_server_have_a_token() {
    for choice in all() {
        let profile = choice.add_on.resource_profile.to_string();
        let counts =
            choice.add_on.epc_accounting == EpcAccounting::NodeStatus || profile.contains("intel");
        for (kind, name, has_token) in [
            ("DaemonSet", "sgx-plugin", counts),
            ("DaemonSet", "sgx-quote-helper", false),
            ("Deployment", "sgx-pccs", false),
        ] {
            let found =
                choice.objects.iter().find(|object| crate::manifests::is(object, kind, name));
            let Some(workload) = found else { continue };
            let pod = &workload.data["spec"]["template"]["spec"];
            assert_eq!(pod["automountServiceAccountToken"], has_token, "{name}");
        }
    }
}

#[test]
fn permissions_are_minimal() {
    let add_on =
        AddOn { epc_accounting: EpcAccounting::NodeStatus, ..everything(Platform::Software) };
    let objects = objects(&add_on);
    let rules = |kind, name| find(&objects, kind, name)["rules"].take();
    assert_eq!(
        rules("ClusterRole", "sgx-plugin"),
        json!([{ "apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"] }])
    );
    assert_eq!(
        rules("Role", "sgx-webhook"),
        json!([{
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["sgx-webhook-certificates"],
            "verbs": ["get", "update"],
        }])
    );
    assert_eq!(
        rules("ClusterRole", "sgx-webhook"),
        json!([{
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations"],
            "resourceNames": ["sgx-webhook"],
            "verbs": ["get", "patch"],
        }])
    );
    let roles = objects.iter().filter(|object| kind(object).ends_with("Role")).count();
    assert_eq!(roles, 3);
}

#[test]
fn the_webhook_never_blocks_pods() {
    let objects = objects(&everything(Platform::Dcap));
    let configuration = find(&objects, "MutatingWebhookConfiguration", "sgx-webhook");
    let webhook = &configuration["webhooks"][0];
    assert_eq!(webhook["failurePolicy"], "Ignore");
    assert_eq!(webhook["sideEffects"], "None");
    assert!(webhook["timeoutSeconds"].as_i64().unwrap() <= 3);
    // Server-side apply keeps fields that are not given: the webhook sets this one.
    assert_eq!(webhook["clientConfig"]["caBundle"], Value::Null);
    assert_eq!(
        webhook["namespaceSelector"]["matchExpressions"],
        json!([{
            "key": "kubernetes.io/metadata.name",
            "operator": "NotIn",
            "values": ["kube-system", "sgx-quote-helper"],
        }])
    );
    assert_eq!(
        webhook["objectSelector"]["matchExpressions"],
        json!([{ "key": "sgx-quote-helper/inject", "operator": "NotIn", "values": ["false"] }])
    );
}
