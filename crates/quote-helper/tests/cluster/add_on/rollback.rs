//! Changes that the cluster rejects or that fail, and the return to earlier revisions.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::job::Job;
use super::updates::{lasting_job, tally_of};
use super::{
    AddOn, NAMESPACE, fails, image, images, next_image, quote_helper, quote_helper_with, root,
    succeeds,
};
use crate::EPC;
use crate::cluster::{eventually, kubectl, kubernetes_version, node, try_kubectl};

const MISSING_IMAGE: &str = "nowhere.example/sgx-quote-helper:1";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_rejected_upgrade_changes_nothing() {
    if !has_policies() {
        return;
    }
    let _add_on = AddOn::install_with_quote_service();
    let before = generations();
    let next = next_image();
    let _policy = Policy::against_image("sgx-quote-helper", &next);
    let upgraded = quote_helper(&["upgrade", "--image", &next]);
    fails(
        &upgraded,
        1,
        &[
            "the cluster rejects an object; nothing was changed",
            "DaemonSet sgx-quote-helper/sgx-quote-helper:",
            Policy::REASON,
        ],
    );
    assert_eq!(generations(), before);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_rejected_installation_leaves_no_namespace() {
    if !has_policies() {
        return;
    }
    let image = image();
    let _policy = Policy::against_image("sgx-plugin", &image);
    let installed = quote_helper(&["install", "--platform=software", "--image", &image]);
    fails(&installed, 1, &["DaemonSet sgx-quote-helper/sgx-plugin:", Policy::REASON]);
    let left = ["get", "ns,clusterroles,configmaps", "-A", "-o=name"];
    let ours = "-l=app.kubernetes.io/part-of=sgx-quote-helper";
    assert_eq!(kubectl(&[&left[..], &[ours]].concat(), ""), "");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn an_upgrade_to_a_missing_image_is_taken_back_while_quotes_and_epc_stay() {
    let _add_on = AddOn::install_with_quote_service();
    let job = Job::create(&lasting_job("60s"));
    job.says("bob", "trusted");
    let before = allocatable();
    assert_ne!(before, json!("0"));
    let is_over = AtomicBool::new(false);
    let upgraded = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(allocatable(), before, "EPC leaves the node");
                thread::sleep(Duration::from_millis(100));
            }
        });
        let upgraded = quote_helper(&["upgrade", "--image", MISSING_IMAGE, "--timeout=15s"]);
        is_over.store(true, Ordering::Relaxed);
        watch.join().unwrap();
        upgraded
    });
    fails(&upgraded, 1, &["not ready within 15 seconds", MISSING_IMAGE, "Rolled back"]);
    assert_eq!(images(), [image()]);
    let tally = tally_of(&job);
    assert_eq!(tally.failed, 0, "{tally:?}");
    assert!(tally.made > 100, "{tally:?}");
    eprintln!("while an upgrade was taken back: {tally:?}");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn rollback_returns_to_the_revision_before() {
    let _add_on = AddOn::install_with_quote_service();
    let root = root();
    succeeds(&quote_helper(&["upgrade", "--image", &next_image()]));
    assert_eq!(images(), [next_image()]);
    let preview = succeeds(&quote_helper(&["rollback", "--diff"]));
    assert!(preview.contains(&format!("+        image: {}", image())), "{preview}");
    let said = succeeds(&quote_helper(&["rollback"]));
    assert!(said.contains("rolling back to revision 1"), "{said}");
    assert_eq!(images(), [image()]);
    assert_eq!(super::root(), root);
    // It is a revision of its own, and the settings are those of that time.
    succeeds(&quote_helper(&["upgrade", "--disable-sgxquotehelper"]));
    assert_eq!(images(), [image()]);
    succeeds(&quote_helper(&["rollback", "--to-revision=2"]));
    assert_eq!(images(), [next_image()]);
    assert_eq!(super::root(), root);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_killed_upgrade_is_found_and_taken_back() {
    let _add_on = AddOn::install_with_quote_service();
    let mut killed = start(&["upgrade", "--image", MISSING_IMAGE]);
    eventually("the objects are applied", || {
        images().contains(&MISSING_IMAGE.to_owned()).then_some(())
    });
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Otherwise it expires after 30 seconds.
    kubectl(&["delete", "lease", "sgx-quote-helper-install", "-n", "kube-system"], "");
    let said = succeeds(&quote_helper(&["rollback"]));
    let found = format!("found an unfinished change: revision 2 ({MISSING_IMAGE}, pending, ");
    assert!(said.contains(&found), "{said}");
    assert_eq!(images(), [image()]);
}

/// Starts the program without waiting for it.
fn start(arguments: &[&str]) -> Child {
    let kubeconfig = std::env::var_os("KUBECONFIG").expect("the test cluster's kubeconfig");
    let mut command = quote_helper_with(kubeconfig.as_ref(), arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The allocatable EPC of the node.
fn allocatable() -> Value {
    node()["status"]["allocatable"][EPC].clone()
}

/// The versions of all objects of the add-on that only the installer changes.
fn generations() -> String {
    let kinds = "daemonsets,deployments,configmaps,services,networkpolicies,roles,rolebindings";
    let columns = "-o=custom-columns=:.kind,:.metadata.name,:.metadata.generation";
    let versions = ["get", kinds, "-n", NAMESPACE, columns, "--sort-by=.metadata.name"];
    let settings = "-o=jsonpath={.items[*].metadata.resourceVersion}";
    let config_maps = ["get", "configmaps", "-n", NAMESPACE, settings];
    kubectl(&versions, "") + &kubectl(&config_maps, "")
}

/// True if the cluster has ValidatingAdmissionPolicies (Kubernetes 1.30).
fn has_policies() -> bool {
    let version = kubernetes_version();
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    minor >= 30
}

/// A policy of the cluster that forbids an image. When dropped, it is deleted and no longer in
/// force, so that the next test is not refused.
struct Policy {
    /// An object that the policy forbids.
    forbidden: Value,
}

impl Policy {
    const NAME: &str = "add-on-test-image";
    const REASON: &str = "this image is not for this DaemonSet";

    /// Forbids the image in the DaemonSet of this name.
    fn against_image(daemon_set: &str, image: &str) -> Self {
        let rule = json!({
            "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["daemonsets"],
            "operations": ["CREATE", "UPDATE"],
        });
        let expression = format!(
            "object.metadata.name != '{daemon_set}' || \
             object.spec.template.spec.containers.all(it, it.image != '{image}')"
        );
        let kind = |kind: &str, spec: Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": { "name": Self::NAME }, "spec": spec,
            })
        };
        let policy = json!({
            "matchConstraints": { "resourceRules": [rule] },
            "validations": [{ "expression": expression, "message": Self::REASON }],
        });
        let policy = kind("ValidatingAdmissionPolicy", policy);
        let binding = json!({ "policyName": Self::NAME, "validationActions": ["Deny"] });
        let binding = kind("ValidatingAdmissionPolicyBinding", binding);
        for object in [&policy, &binding] {
            kubectl(&["apply", "-f=-"], &object.to_string());
        }
        let this = Self { forbidden: Self::daemon_set(daemon_set, image) };
        eventually("the policy is in force", || this.is_in_force().then_some(()));
        this
    }

    /// A DaemonSet of this name and image.
    fn daemon_set(name: &str, image: &str) -> Value {
        let container = json!({ "name": "main", "image": image });
        let labels = json!({ "app": "add-on-test" });
        let template = json!({
            "metadata": { "labels": labels }, "spec": { "containers": [container] },
        });
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": name, "namespace": "default" },
            "spec": { "selector": { "matchLabels": labels }, "template": template },
        })
    }

    /// True if the API server applies the policy; it learns of changes with a delay.
    fn is_in_force(&self) -> bool {
        let create = ["create", "--dry-run=server", "-f=-"];
        let tried = try_kubectl(&create, &self.forbidden.to_string());
        String::from_utf8_lossy(&tried.stderr).contains(Self::REASON)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
            let _ = try_kubectl(&["delete", kind, Self::NAME, "--ignore-not-found"], "");
        }
        if !thread::panicking() {
            eventually("the policy is gone", || (!self.is_in_force()).then_some(()));
        }
    }
}
