//! Permissions at the API server.

use kubernetes::device_plugin::{EpcAccounting, ResourceProfile};
use kubernetes::manifests::{AddOn, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{all, cluster, everything, objects};
use crate::manifests::{find, kind};

/// Selects pods without the label that switches injection off.
const NOT_OPTED_OUT: &str = r#"{
    "matchExpressions": [
        { "key": "sgx-quote-helper/inject", "operator": "NotIn", "values": ["false"] }
    ]
}"#;

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
    // Events about nodes are in this namespace.
    let events = find(&objects, "Role", "sgx-plugin-events");
    assert_eq!(events["metadata"]["namespace"], "default");
    let create = json!([{ "apiGroups": [""], "resources": ["events"], "verbs": ["create"] }]);
    assert_eq!(events["rules"], create);
    let roles = objects.iter().filter(|object| kind(object).ends_with("Role")).count();
    assert_eq!(roles, 4);
}

#[test]
fn the_webhook_is_required_by_pods_with_epc_only() {
    for (version, policies) in [("1.27", vec!["Ignore"]), ("1.28", vec!["Fail", "Ignore"])] {
        let objects = everything(Platform::Dcap).objects(&cluster(version)).unwrap();
        let configuration = find(&objects, "MutatingWebhookConfiguration", "sgx-webhook");
        let webhooks = configuration["webhooks"].as_array().unwrap();
        assert_eq!(webhooks.len(), policies.len(), "{version}");
        for (webhook, policy) in webhooks.iter().zip(policies) {
            assert_eq!(webhook["failurePolicy"], policy);
            let conditions = webhook["matchConditions"].to_string();
            assert_eq!(conditions.contains("sgx.intel.com/epc"), version != "1.27", "{webhook}");
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
            assert_eq!(webhook["objectSelector"], NOT_OPTED_OUT.parse::<Value>().unwrap());
        }
    }
}

#[test]
fn policies_match_pods_with_epc_and_refuse_no_others() {
    let add_on = AddOn { injection: None, ..everything(Platform::Dcap) };
    let objects = objects(&add_on);
    let policy = find(&objects, "MutatingAdmissionPolicy", "sgx-injection");
    let spec = &policy["spec"];
    assert_eq!(spec["failurePolicy"], "Fail");
    assert_eq!(spec["reinvocationPolicy"], "IfNeeded");
    let constraints = &spec["matchConstraints"];
    assert_eq!(constraints["objectSelector"], NOT_OPTED_OUT.parse::<Value>().unwrap());
    assert_eq!(constraints["resourceRules"].as_array().unwrap().len(), 1);
    let condition = spec["matchConditions"][0]["expression"].as_str().unwrap();
    for resource in ["kubernetes.azure.com/sgx_epc_mem_in_MiB", "sgx.intel.com/epc"] {
        assert!(condition.contains(resource), "{condition}");
    }
    let warnings = find(&objects, "ValidatingAdmissionPolicy", "sgx-warnings");
    assert_eq!(warnings["spec"]["failurePolicy"], "Ignore");
    let binding = find(&objects, "ValidatingAdmissionPolicyBinding", "sgx-warnings");
    let expected = json!({ "policyName": "sgx-warnings", "validationActions": ["Warn"] });
    assert_eq!(binding["spec"], expected);
    let binding = find(&objects, "MutatingAdmissionPolicyBinding", "sgx-injection");
    assert_eq!(binding["spec"], json!({ "policyName": "sgx-injection" }));
}

#[test]
fn settings_are_variables_of_policies() {
    let first_uid = 70_000;
    let add_on = AddOn { injection: None, first_uid, ..everything(Platform::Dcap) };
    let policy = find(&objects(&add_on), "MutatingAdmissionPolicy", "sgx-injection");
    let variables = policy["spec"]["variables"].as_array().unwrap();
    for (name, expression) in [
        ("epcInNodeStatus", json!(ResourceProfile::ALL.map(ResourceProfile::epc_resource))),
        ("enclaveResource", json!("sgx.intel.com/enclave")),
        ("provisionResource", json!("sgx.intel.com/provision")),
        ("socketByDevicePlugin", json!(true)),
        ("hasQuoteService", json!(true)),
        ("addOnUsers", json!([70_000, 70_001, 70_002])),
    ] {
        let variable = variables.iter().find(|variable| variable["name"] == name).unwrap();
        assert_eq!(variable["expression"], expression.to_string(), "{name}");
    }
}
