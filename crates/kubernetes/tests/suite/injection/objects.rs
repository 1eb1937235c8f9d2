//! Objects that contain pods.

use kubernetes::injection::inject_object;
use serde_json::{Value, json};

fn object(version: &str, kind: &str, spec: &Value) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" }, "spec": spec })
}

fn pod_spec() -> Value {
    let resources = json!({ "limits": { "sgx.intel.com/epc": "1Mi" } });
    json!({ "containers": [{ "name": "app", "resources": resources, "novelty": 1 }] })
}

/// The object after injection, and the warnings.
fn with_warnings(mut object: Value) -> (Value, Vec<String>) {
    let warnings =
        inject_object(&mut object, &crate::injection::settings("devices"), &|_| None).unwrap();
    (object, warnings)
}

fn injected(object: Value) -> Value {
    let (object, warnings) = with_warnings(object);
    assert_eq!(warnings, Vec::<String>::new());
    object
}

/// Tells if something was injected into the pod.
fn has_toleration(pod: &Value) -> bool {
    pod["spec"]["tolerations"][0]["key"] == "sgx.intel.com/epc"
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
fn the_version_does_not_matter() {
    let template = json!({ "template": { "spec": pod_spec() } });
    let jobs = json!({ "jobTemplate": { "spec": template } });
    for (version, kind, spec, pointer) in [
        ("batch/v1beta1", "CronJob", &jobs, "/spec/jobTemplate/spec/template"),
        ("apps/v1beta2", "Deployment", &template, "/spec/template"),
        ("extensions/v1beta1", "DaemonSet", &template, "/spec/template"),
        ("v1", "ReplicationController", &template, "/spec/template"),
    ] {
        let injected = injected(object(version, kind, spec));
        assert!(has_toleration(injected.pointer(pointer).unwrap()), "{kind}");
    }
    let mut pod_template = object("v1", "PodTemplate", &Value::Null);
    pod_template["template"] = template["template"].clone();
    assert!(has_toleration(&injected(pod_template)["template"]));
}

#[test]
fn each_item_of_a_list_is_an_object() {
    let pod = |name: &str| json!({ "metadata": { "name": name }, "spec": pod_spec() });
    let pods = json!({ "apiVersion": "v1", "kind": "PodList", "items": [pod("a"), pod("b")] });
    let deployment = object("apps/v1", "Deployment", &json!({ "template": pod("c") }));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [pods, deployment, 5] });
    let injected = injected(list);
    for pod in ["/items/0/items/0", "/items/0/items/1", "/items/1/spec/template"] {
        assert!(has_toleration(injected.pointer(pod).unwrap()), "{pod}");
    }
    let mut small = pod("small");
    small["spec"]["containers"][0]["resources"]["limits"]["sgx.intel.com/epc"] = json!(10);
    let list = json!({ "apiVersion": "v1", "kind": "PodList", "items": [small] });
    let (_, warnings) = with_warnings(list);
    assert!(
        warnings[0].starts_with("Pod \"small\": container \"app\" asks for \"10\""),
        "{warnings:?}"
    );
}

#[test]
fn pod_templates_in_custom_resources_are_found() {
    let template = json!({ "spec": pod_spec() });
    for (kind, spec, pointer) in [
        ("Rollout", json!({ "template": template }), "spec.template"),
        (
            "PyTorchJob",
            json!({ "pytorchReplicaSpecs": { "Worker": { "template": template } } }),
            "spec.pytorchReplicaSpecs.Worker.template",
        ),
        ("Job", json!({ "tasks": [{ "template": template }] }), "spec.tasks[0].template"),
    ] {
        let (injected, warnings) = with_warnings(object("example.com/v1", kind, &spec));
        assert!(injected.to_string().contains("\"operator\":\"Exists\""), "{injected}");
        let says = format!("{pointer} was taken for a pod template: the kind is unknown");
        assert_eq!(warnings, [says]);
    }
    let unreadable = json!({ "template": { "spec": { "containers": [5] } } });
    let (_, warnings) = with_warnings(object("example.com/v1", "Rollout", &unreadable));
    assert!(warnings[0].starts_with("spec.template is not a readable pod template"));
}

#[test]
fn objects_without_a_known_pod_do_not_change() {
    for object in [
        object("v1", "ConfigMap", &json!({ "data": { "template": "spec" } })),
        object("apps/v1", "Deployment", &json!({})),
        json!({ "apiVersion": 1, "kind": ["Pod"] }),
        json!("Pod"),
        json!([{ "apiVersion": "v1", "kind": "Pod" }]),
        Value::Null,
    ] {
        assert_eq!(injected(object.clone()), object);
    }
}

#[test]
fn epc_outside_of_pods_is_reported() {
    let container = pod_spec()["containers"][0].clone();
    for (object, says) in [
        (
            object(
                "argoproj.io/v1",
                "Workflow",
                &json!({ "templates": [{ "container": container }] }),
            ),
            "spec.templates[0].container.resources.limits has sgx.intel.com/epc, but is not in a known \
             pod template",
        ),
        (
            json!({ "kind": "Pod", "spec": pod_spec() }),
            "spec.containers[0].resources.limits has sgx.intel.com/epc, but the object has no \
             apiVersion",
        ),
        (
            json!([{ "apiVersion": "v1", "kind": "Pod", "spec": pod_spec() }]),
            "[0].spec.containers[0].resources.limits has sgx.intel.com/epc, but the object has no",
        ),
        (
            object(
                "v1",
                "Pod",
                &json!({ "containers": [{ "name": "a", "limits": { "sgx.intel.com/epc": 1 } }] }),
            ),
            "spec.containers[0].limits has sgx.intel.com/epc, which counts only in a container's",
        ),
        (
            object("v1", "Pod", &json!({ "containers": [], "ephemeralContainers": [container] })),
            "spec.ephemeralContainers[0].resources.limits has sgx.intel.com/epc, which counts only",
        ),
        (
            object("v1", "Pod", &json!({ "container": [container] })),
            "spec.container is not a field of a pod; write containers",
        ),
        (
            object("apps/v1", "Deployment", &json!({ "templat": { "spec": pod_spec() } })),
            "spec.templat.spec.containers[0].resources.limits has sgx.intel.com/epc, but is not in \
             a",
        ),
    ] {
        let (unchanged, warnings) = with_warnings(object.clone());
        assert_eq!(unchanged, object);
        assert!(warnings.len() == 1 && warnings[0].starts_with(says), "{warnings:?}");
    }
}

#[test]
fn null_fields_count_as_missing() {
    let mut spec = pod_spec();
    spec["tolerations"] = Value::Null;
    spec["containers"][0]["resources"]["limits"]["cpu"] = Value::Null;
    let mut pod = object("v1", "Pod", &spec);
    pod["metadata"] = Value::Null;
    let injected = injected(pod);
    assert!(has_toleration(&injected));
    assert_eq!(injected["metadata"]["annotations"]["sgx.intel.com/epc"], "1048576");
    assert_eq!(injected["spec"]["containers"][0]["resources"]["limits"]["cpu"], Value::Null);
}

#[test]
fn misspelled_fields_are_reported() {
    let spec = json!({ "initContainer": [], "Volumes": [], "containers": [{
        "name": "app", "resource": {}, "environment": [], "envs": [], "workingDir": "/",
        "resources": {
            "limit": {}, "Requests": {}, "limits": { "sgx.intel.com/epc": "1Mi" }, "claims": [],
        },
    }] });
    let mut pod = object("v1", "Pod", &spec);
    pod["metadata"]["annotation"] = json!({});
    let (_, warnings) = with_warnings(pod.clone());
    let mut fields: Vec<_> = warnings.iter().map(|it| it.split(' ').next().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "metadata.annotation",
            "spec.Volumes",
            "spec.containers[0].envs",
            "spec.containers[0].resource",
            "spec.containers[0].resources.Requests",
            "spec.containers[0].resources.limit",
            "spec.initContainer",
        ]
    );
    // Pods without SGX get no warnings.
    pod["spec"]["containers"][0]["resources"]["limits"] = json!({});
    injected(pod);
}

#[test]
fn a_misplaced_opt_in_is_reported() {
    let mut deployment =
        object("apps/v1", "Deployment", &json!({ "template": { "spec": pod_spec() } }));
    deployment["metadata"]["labels"] = json!({ "sgx-quote-helper/inject": "true" });
    let (_, warnings) = with_warnings(deployment.clone());
    assert_eq!(
        warnings,
        ["sgx-quote-helper/inject is in metadata.labels, which pods do not get; write it in \
         spec.template.metadata.labels",]
    );
    deployment["spec"]["template"]["metadata"]["labels"] = deployment["metadata"]["labels"].clone();
    injected(deployment);
}

#[test]
fn numbers_become_strings_where_required() {
    let mut spec = pod_spec();
    spec["nodeSelector"] = json!({ "sgx": true });
    spec["containers"][0]["args"] = json!([8080, "x"]);
    spec["containers"][0]["env"] = json!([
        { "name": "A", "value": 288 }, { "name": "B", "value": "1" },
        { "name": "C", "value": null },
    ]);
    let mut pod = object("v1", "Pod", &spec);
    pod["metadata"]["labels"] = json!({ "app.kubernetes.io/version": 1 });
    let written =
        |pointer: &str| (pointer == "/spec/containers/0/env/0/value").then(|| "0440".to_owned());
    let warnings =
        inject_object(&mut pod, &crate::injection::settings("devices"), &written).unwrap();
    assert_eq!(
        warnings,
        [
            "metadata.labels[\"app.kubernetes.io/version\"] is the number 1, where the API server \
             takes only strings; \"1\" was written",
            "spec.nodeSelector.sgx is the boolean true, where the API server takes only strings; \
             \"true\" was written",
            "spec.containers[0].args[0] is the number 8080, where the API server takes only \
             strings; \"8080\" was written",
            "spec.containers[0].env[0].value is the number 0440, where the API server takes only \
             strings; \"0440\" was written",
        ]
    );
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["env"][0]["value"], "0440");
    assert_eq!(container["env"][2]["value"], Value::Null);
    assert_eq!(container["args"], json!(["8080", "x"]));
    assert_eq!(container["novelty"], 1);
}

#[test]
fn an_invalid_pod_is_an_error() {
    for spec in [json!("none"), json!({ "containers": { "name": "app" } })] {
        let mut pod = object("v1", "Pod", &spec);
        let before = pod.clone();
        let error =
            inject_object(&mut pod, &crate::injection::settings("devices"), &|_| None).unwrap_err();
        assert!(error.to_string().starts_with("its pod cannot be read: "), "{error}");
        assert_eq!(pod, before);
    }
}
