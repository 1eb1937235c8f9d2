//! The software platform's root, INSECURE, for verifiers in all namespaces.

use serde_json::Value;

use super::job::sample;
use super::{AddOn, NAMESPACE, quote_helper, succeeds};
use crate::cluster::{kubectl, try_kubectl};

const BUNDLE: &str = "clustertrustbundle/sgx-software-platform-insecure";
const LABEL: &str = "sgx-quote-helper/verification=true";

/// A namespace that goes when this is dropped.
struct Namespace(&'static str);

impl Namespace {
    fn create(name: &'static str) -> Self {
        kubectl(&["create", "namespace", name], "");
        Self(name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = try_kubectl(&["delete", "namespace", self.0], "");
    }
}

/// The root that verifiers in this namespace read; `None` if there is none.
fn root(namespace: &str) -> Option<String> {
    let path = r"-o=jsonpath={.data.trusted-root\.pem}";
    let found = try_kubectl(&["get", "configmap/sgx-verification", "-n", namespace, path], "");
    found.status.success().then(|| String::from_utf8(found.stdout).unwrap())
}

/// The root in the ClusterTrustBundle; `None` if the cluster has no such kind or object.
fn bundle() -> Option<String> {
    let found = try_kubectl(&["get", BUNDLE, "-o=jsonpath={.spec.trustBundle}"], "");
    found.status.success().then(|| String::from_utf8(found.stdout).unwrap())
}

/// True from Kubernetes 1.37 on.
fn serves_bundles() -> bool {
    let found = try_kubectl(&["get", "--raw=/apis/certificates.k8s.io/v1"], "");
    String::from_utf8_lossy(&found.stdout).contains("\"clustertrustbundles\"")
}

/// The findings of `check` about roots that are not in order, as objects.
fn reported() -> Vec<String> {
    let checked = quote_helper(&["check", "--cluster", "--output=json"]);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let sections = checked["sections"].as_array().unwrap();
    let findings = sections.iter().flat_map(|section| section["findings"].as_array().unwrap());
    let stale = findings.filter(|it| it["name"] == "trust-root" && it["status"] != "ok");
    stale.map(|it| it["object"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_rotated_root_reaches_labelled_namespaces_and_the_bundle() {
    let (labelled, copying) = (Namespace::create("verifiers"), Namespace::create("copying"));
    let add_on = AddOn::install_with_quote_service();
    let old = root("default").unwrap();
    assert_eq!(root(labelled.0), None);
    assert_eq!(bundle().is_some(), serves_bundles());

    kubectl(&["label", "namespace", labelled.0, LABEL], "");
    assert_eq!(reported(), ["namespace/verifiers"]);
    succeeds(&quote_helper(&["upgrade"]));
    assert_eq!(root(labelled.0).unwrap(), old);
    assert_eq!(reported(), Vec::<String>::new());

    let literal = format!("--from-literal=trusted-root.pem={old}");
    kubectl(&["create", "configmap", "sgx-verification", "-n", copying.0, &literal], "");
    kubectl(&["delete", "secret/sgx-software-platform", "-n", NAMESPACE], "");
    succeeds(&quote_helper(&["upgrade"]));
    let new = root("default").unwrap();
    assert_ne!(new, old);
    assert_eq!(root(labelled.0).unwrap(), new);
    if let Some(bundle) = bundle() {
        assert_eq!(bundle.trim(), new.trim());
    }
    assert_eq!(reported(), ["configmap/copying/sgx-verification"]);
    kubectl(&["label", "namespace", copying.0, LABEL], "");
    succeeds(&quote_helper(&["upgrade"]));
    assert_eq!(reported(), Vec::<String>::new());

    add_on.uninstall();
    assert_eq!([root(labelled.0), root(copying.0), root("default"), bundle()], [const { None }; 4]);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn enclaves_trust_the_root_in_namespaces_without_its_config_map() {
    let namespace = Namespace::create("elsewhere");
    let _add_on = AddOn::install_with_quote_service();
    if !serves_bundles() {
        kubectl(&["label", "namespace", namespace.0, LABEL], "");
        succeeds(&quote_helper(&["upgrade"]));
    }
    let mut job = sample("remote-attestation-job.yaml");
    let pod = &mut job["spec"]["template"]["spec"];
    for container in pod["containers"].as_array_mut().unwrap() {
        let variables = container["env"].as_array_mut().unwrap();
        for variable in variables.iter_mut().filter(|it| it["name"] == "REMOTE_ATTESTATION_PCCS") {
            // Of the add-on's namespace, not of the ConfigMap.
            let url = "http://sgx-collateral.sgx-quote-helper.svc:17492";
            *variable = serde_json::json!({ "name": "REMOTE_ATTESTATION_PCCS", "value": url });
        }
    }
    kubectl(&["create", "-n", namespace.0, "-f=-"], &job.to_string());
    let wait = ["wait", "job/remote-attestation", "--for=condition=complete", "--timeout=40s"];
    let waited = try_kubectl(&[&wait[..], &["-n", namespace.0]].concat(), "");
    let logs = ["logs", "job/remote-attestation", "--all-containers", "-n", namespace.0];
    let logs = String::from_utf8(try_kubectl(&logs, "").stdout).unwrap();
    assert!(waited.status.success(), "{logs}");
    assert!(logs.contains("INSECURE: trusting"), "{logs}");
}
