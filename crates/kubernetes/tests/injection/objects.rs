//! Objects that have pods in them.

use kubernetes::injection::inject_object;
use serde_json::{Value, json};

fn object(version: &str, kind: &str, spec: &Value) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" }, "spec": spec })
}

fn pod_spec() -> Value {
    let resources = json!({ "limits": { "sgx.intel.com/epc": "1Mi" } });
    json!({ "containers": [{ "name": "app", "resources": resources, "novelty": 1 }] })
}

fn injected(mut object: Value) -> Value {
    let warnings = inject_object(&mut object, &crate::settings("devices")).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    object
}

#[test]
fn a_pod_template_is_injected_into() {
    let template = json!({ "spec": pod_spec() });
    let of_template = json!({ "template": template });
    for (version, kind, spec, pointer) in [
        ("v1", "Pod", pod_spec(), ""),
        ("batch/v1", "Job", of_template.clone(), "/spec/template"),
        (
            "batch/v1",
            "CronJob",
            json!({ "jobTemplate": { "spec": of_template } }),
            "/spec/jobTemplate/spec/template",
        ),
        ("apps/v1", "Deployment", of_template.clone(), "/spec/template"),
        ("apps/v1", "DaemonSet", of_template.clone(), "/spec/template"),
        ("apps/v1", "ReplicaSet", of_template.clone(), "/spec/template"),
        ("apps/v1", "StatefulSet", of_template.clone(), "/spec/template"),
    ] {
        let injected = injected(object(version, kind, &spec));
        let pod = injected.pointer(pointer).unwrap();
        assert_eq!(pod["metadata"]["annotations"]["sgx.intel.com/epc"], "1048576", "{kind}");
        assert_eq!(pod["spec"]["tolerations"][0]["key"], "sgx.intel.com/epc", "{kind}");
        assert_eq!(pod["spec"]["containers"][0]["novelty"], 1, "{kind}: what is not known stays");
    }
}

#[test]
fn other_objects_stay_as_they_are() {
    let template = json!({ "template": { "spec": pod_spec() } });
    for object in [
        object("batch.volcano.sh/v1alpha1", "Job", &template),
        object("v1", "ConfigMap", &template),
        object("apps/v1", "Deployment", &json!({})),
        json!({ "kind": "Pod", "spec": pod_spec() }),
        json!({ "apiVersion": 1, "kind": ["Pod"] }),
        json!("Pod"),
        json!([{ "apiVersion": "v1", "kind": "Pod" }]),
        Value::Null,
    ] {
        assert_eq!(injected(object.clone()), object);
    }
}

#[test]
fn what_should_be_a_pod_but_is_none_is_an_error() {
    for spec in [json!("none"), json!({ "containers": { "name": "app" } })] {
        let mut pod = object("v1", "Pod", &spec);
        let before = pod.clone();
        let error = inject_object(&mut pod, &crate::settings("devices")).unwrap_err();
        assert!(error.to_string().starts_with("its pod cannot be read: "), "{error}");
        assert_eq!(pod, before);
    }
}
