//! Reviews as the API server sends them.

use json_patch::Patch;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::webhook::server::Webhook;

/// A review of a created object.
pub(crate) fn review(object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default();
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": { "group": "", "version": "v1", "kind": kind },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "name": "app",
            "namespace": "default",
            "operation": "CREATE",
            "userInfo": { "username": "jane", "groups": ["system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": { "apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions" },
        },
    })
}

/// A pod that opts in.
pub(crate) fn pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "app",
            "annotations": { "sgx.intel.com/quote-provider": "aesmd" },
            "creationTimestamp": null,
        },
        "spec": {
            "novelty": { "of": "a later version" },
            "containers": [{
                "name": "app",
                "image": "app",
                "resources": { "limits": { "sgx.intel.com/epc": "5Mi" } },
            }],
        },
    })
}

fn patched(answer: &Value, mut object: Value) -> Value {
    let patch: ByteString = serde_json::from_value(answer["response"]["patch"].clone()).unwrap();
    let patch: Patch = serde_json::from_slice(&patch.0).unwrap();
    json_patch::patch(&mut object, &patch).unwrap();
    object
}

#[track_caller]
fn is_unchanged(answer: &Value) {
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    assert!(answer["response"].get("patch").is_none(), "{answer}");
    assert!(answer["response"].get("patchType").is_none(), "{answer}");
}

#[tokio::test]
async fn a_pod_gets_its_settings() {
    let webhook = Webhook::start_ready().await;
    let answer = webhook.review(&review(&pod())).await;
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
    assert_eq!(answer["response"]["allowed"], true);
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
    assert!(answer["response"].get("warnings").is_none(), "{answer}");
    let pod = patched(&answer, pod());
    assert_eq!(pod["spec"]["containers"][0]["env"][0]["name"], "SGX_AESM_ADDR");
    assert_eq!(pod["spec"]["novelty"]["of"], "a later version");
    assert_eq!(pod["metadata"]["annotations"]["sgx.intel.com/epc"], "5242880");
    is_unchanged(&webhook.review(&review(&pod)).await);
    let metrics = webhook.ask("/metrics").await.body;
    assert!(metrics.contains("reviews_total{outcome=\"Patched\"} 1"), "{metrics}");
    assert!(metrics.contains("reviews_total{outcome=\"Unchanged\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_dry_run_is_answered_like_any() {
    let webhook = Webhook::start_ready().await;
    let mut dry = review(&pod());
    dry["request"]["dryRun"] = json!(true);
    let [dry, wet] = [webhook.review(&dry).await, webhook.review(&review(&pod())).await];
    assert_eq!(dry, wet);
}

#[tokio::test]
async fn other_objects_are_allowed_unchanged() {
    let webhook = Webhook::start_ready().await;
    let base = review(&pod());
    let with = |pointer: &str, value: Value| {
        let mut review = base.clone();
        *review.pointer_mut(pointer).unwrap() = value;
        review
    };
    let mut deletion = with("/request/operation", json!("DELETE"));
    deletion["request"]["oldObject"] = deletion["request"]["object"].take();
    let mut ephemeral = base.clone();
    ephemeral["request"]["subResource"] = json!("ephemeralcontainers");
    let config_map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {} });
    for review in [
        deletion,
        ephemeral,
        with("/request/operation", json!("UPDATE")),
        with("/request/operation", json!("CONNECT")),
        with("/request/kind/version", json!("v2")),
        with("/request/kind/group", json!("example.com")),
        with("/request/object", Value::Null),
        with("/request/object/spec/containers", json!("none")),
        with("/request/object/kind", json!("Job")),
        review(&config_map),
    ] {
        is_unchanged(&webhook.review(&review).await);
    }
}

#[tokio::test]
async fn warnings_are_cut_to_the_api_servers_limits() {
    let webhook = Webhook::start_ready().await;
    let mut pod = pod();
    pod["spec"]["containers"][0]["resources"] = json!({});
    let answer = webhook.review(&review(&pod)).await;
    is_unchanged(&answer);
    let warnings = answer["response"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].as_str().unwrap().contains("no container requests EPC"), "{answer}");
    let resources =
        json!({ "limits": { "kubernetes.azure.com/sgx_epc_mem_in_MiB": "\u{7}".repeat(99) } });
    let name = "\u{1f980}\u{7}".repeat(99);
    pod["spec"]["containers"] = vec![json!({ "name": name, "resources": resources }); 100].into();
    let answer = webhook.review(&review(&pod)).await;
    let warnings = answer["response"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 8);
    for warning in warnings {
        let warning = warning.as_str().unwrap();
        assert!(warning.chars().count() <= 256 && !warning.contains('\u{7}'), "{warning}");
    }
}

#[tokio::test]
async fn reviews_send_no_requests_to_the_api_server() {
    let webhook = Webhook::start_ready().await;
    let before = webhook.api_server.requests();
    for _ in 0..20 {
        webhook.review(&review(&pod())).await;
    }
    assert_eq!(webhook.api_server.requests(), before);
}

/// Fields that parsing skips do not change.
#[tokio::test]
async fn fields_that_injection_does_not_read_stay() {
    let webhook = Webhook::start_ready().await;
    let mut pod = pod();
    pod["metadata"] = json!({ "name": "app", "labels": {}, "annotations": null });
    pod["spec"]["containers"][0]["env"] =
        json!([{ "name": "A", "valueFrom": {} }, { "name": "B" }]);
    pod["spec"]["volumes"] = json!([{ "name": "v", "configMap": { "name": "c" } }]);
    pod["metadata"]["labels"]["sgx-quote-helper/inject"] = json!("true");
    let injected = patched(&webhook.review(&review(&pod)).await, pod.clone());
    assert_eq!(injected["metadata"]["name"], "app");
    assert_eq!(injected["metadata"]["annotations"], json!({ "sgx.intel.com/epc": "5242880" }));
    let env = &injected["spec"]["containers"][0]["env"];
    assert_eq!(env[0]["valueFrom"], json!({}));
    assert_eq!(env[2]["name"], "SGX_AESM_ADDR");
    assert_eq!(injected["spec"]["volumes"][0], pod["spec"]["volumes"][0]);
    assert_eq!(injected["spec"]["volumes"][1]["name"], "aesmd-socket");
}
