//! Applications of every form that Kubernetes knows get quotes, under Pod Security `restricted`.

use serde_json::{Value, json};

use super::{AddOn, image, succeeds};
use crate::cluster::{eventually, kubectl, try_kubectl};
use crate::pod::container;
use crate::{EPC, INTEL_EPC};

/// A namespace that enforces the strictest level of the Pod Security Standards; deleted when
/// dropped.
struct Restricted(&'static str);

impl Restricted {
    #[track_caller]
    fn create(name: &'static str) -> Self {
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
        let metadata = json!({ "name": name, "labels": labels });
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        kubectl(&["create", "-f=-"], &namespace.to_string());
        Self(name)
    }

    /// Creates a pod that opts in to the quote service.
    #[track_caller]
    fn pod(&self, name: &str, spec: &Value) {
        let labels = json!({ "sgx-quote-helper/inject": "true" });
        let metadata = json!({ "name": name, "namespace": self.0, "labels": labels });
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
        let said = succeeds(&try_kubectl(&["create", "-f=-"], &pod.to_string()));
        assert!(!said.contains("Warning"), "{said}");
    }

    /// Waits until the pod is in this phase.
    #[track_caller]
    fn reaches(&self, pod: &str, phase: &str) {
        eventually(&format!("{pod} is {phase}"), || {
            let status = self.run(&["get", "pod", pod, "-o=json"]);
            let status = serde_json::from_str::<Value>(&status).unwrap()["status"].take();
            assert!(phase == "Failed" || status["phase"] != "Failed", "{status:#}");
            (status["phase"] == phase).then_some(())
        });
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        kubectl(&[&["-n", self.0], arguments].concat(), "")
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        let deleted = try_kubectl(&["delete", "namespace", self.0], "");
        assert!(deleted.status.success() || std::thread::panicking(), "{deleted:?}");
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn init_containers_and_sidecars_get_quotes() {
    let _add_on = AddOn::install_with_quote_service();
    let namespace = Restricted::create("add-on-test-kinds");
    let mut sidecar = quoting("sidecar", EPC, 1);
    sidecar["restartPolicy"] = json!("Always");
    namespace.pod("kinds", &restricted(&[quoting("init", EPC, 1), sidecar]));
    namespace.reaches("kinds", "Succeeded");
    let pod = namespace.run(&["get", "pod", "kinds", "-o=json"]);
    let status = serde_json::from_str::<Value>(&pod).unwrap()["status"].take();
    for container in ["initContainerStatuses", "containerStatuses"].map(|key| &status[key]) {
        for container in container.as_array().unwrap() {
            let ends = ["state", "lastState"].map(|key| &container[key]["terminated"]["exitCode"]);
            assert!(ends.contains(&&json!(0)), "{container:#}");
        }
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn two_resource_names_are_served_at_once() {
    let profiles = "--resource-profile=azure=32MiB,intel";
    let _add_on = AddOn::install(&["--enable-sgxquotehelper", profiles]);
    let namespace = Restricted::create("add-on-test-names");
    for (pod, resource, quantity) in [("azure", EPC, 1), ("intel", INTEL_EPC, 1 << 20)] {
        let mut spec = restricted(&[]);
        spec["containers"] = json!([quoting("main", resource, quantity)]);
        namespace.pod(pod, &spec);
        namespace.reaches(pod, "Succeeded");
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn ephemeral_containers_are_admitted_beside_enclaves() {
    let _add_on = AddOn::install_with_quote_service();
    let namespace = Restricted::create("add-on-test-debug");
    let mut spec = restricted(&[]);
    let mut idle = container("main", &[(EPC, 1)]);
    idle["securityContext"] = spec["containers"][0]["securityContext"].clone();
    spec["containers"] = json!([idle]);
    namespace.pod("debugged", &spec);
    namespace.reaches("debugged", "Running");
    namespace.run(&[
        "debug",
        "debugged",
        "--profile=restricted",
        "--image=busybox:test-cluster",
        "--image-pull-policy=Never",
        "--container=debugger",
        "--",
        "ls",
        "/dev",
    ]);
    eventually("the debugger has ended", || {
        let log = try_kubectl(&["-n", namespace.0, "logs", "debugged", "-c", "debugger"], "");
        let log = String::from_utf8_lossy(&log.stdout).into_owned();
        assert!(!log.contains("sgx"), "{log}");
        log.contains("null").then_some(())
    });
}

/// A pod with these init containers and one main container, which makes a quote.
fn restricted(init_containers: &[Value]) -> Value {
    json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65_534,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "initContainers": init_containers,
        "containers": [quoting("main", EPC, 1)],
        "volumes": [{ "name": "quotes", "emptyDir": {} }],
    })
}

/// A container that makes a quote and ends.
fn quoting(name: &str, resource: &str, quantity: u64) -> Value {
    let mut container = container(name, &[(resource, quantity)]);
    container["image"] = json!(image());
    container["command"] =
        json!(["/usr/bin/quote-helper", "quote", "--report-data=07", "--out=/quotes/quote.bin"]);
    container["volumeMounts"] = json!([{ "name": "quotes", "mountPath": "/quotes" }]);
    container["securityContext"] = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
    });
    container
}
