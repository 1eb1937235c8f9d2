//! The hooks of the chart, which no option of `manifests` has.

use kubernetes_yaml::Yaml;
use serde_json::{Value, json};

use crate::helm::{CHART, helm};

/// The hooks with these values.
fn hooks(values: &Value) -> Vec<Value> {
    let arguments = ["template", "release", CHART, "--values=-", "--show-only"];
    let arguments = [&arguments[..], &["templates/hooks.yaml"]].concat();
    let output = helm(&arguments, &values.to_string());
    let yaml = String::from_utf8(output.stdout).unwrap();
    let objects = Yaml::parse(&yaml).unwrap().values().unwrap().into_iter();
    objects.filter(|object| !object.is_null()).collect()
}

fn of_kind<'a>(hooks: &'a [Value], kind: &str) -> Vec<&'a Value> {
    hooks.iter().filter(|hook| hook["kind"] == kind).collect()
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn rights_of_hooks_are_for_few_objects_and_end_with_them() {
    let hooks = hooks(&json!({ "enableSgxquotehelper": true, "platform": "software" }));
    for hook in &hooks {
        let policy = &hook["metadata"]["annotations"]["helm.sh/hook-delete-policy"];
        assert_eq!(policy, "before-hook-creation,hook-succeeded", "{hook}");
    }
    let writes = |rule: &&Value| rule["verbs"] != json!(["list"]);
    for role in [of_kind(&hooks, "ClusterRole"), of_kind(&hooks, "Role")].concat() {
        for rule in role["rules"].as_array().unwrap().iter().filter(writes) {
            let is_of_nodes = rule["resources"] == json!(["nodes/status"]);
            assert!(is_of_nodes || rule["resourceNames"].as_array().unwrap().len() == 1, "{rule}");
            assert!(!rule.to_string().contains('*'), "{rule}");
        }
    }
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn jobs_end_before_the_default_timeout_of_helm() {
    let hooks = hooks(&json!({ "enableSgxquotehelper": true, "platform": "software" }));
    let jobs = of_kind(&hooks, "Job");
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        assert!(job["spec"]["activeDeadlineSeconds"].as_u64().unwrap() < 300, "{job}");
    }
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn root_is_made_only_for_quotes_of_the_software_platform() {
    let names = |values: Value| {
        let hooks = hooks(&values);
        let jobs = of_kind(&hooks, "Job").into_iter();
        jobs.map(|job| job["metadata"]["name"].to_string()).collect::<Vec<_>>()
    };
    let software = json!({ "enableSgxquotehelper": true, "platform": "software" });
    assert_eq!(names(software), ["\"sgx-software-platform\"", "\"sgx-clean-up\""]);
    for values in [
        json!({ "enableSgxquotehelper": true }),
        json!({ "platform": "software" }),
        json!({
            "enableSgxquotehelper": true,
            "platform": "software",
            "deployment": "{}",
            "deploymentRoot": "PEM",
        }),
    ] {
        assert_eq!(names(values), ["\"sgx-clean-up\""]);
    }
}
