//! Refused installations and their messages.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{AddOn, fails, quote_helper, quote_helper_with};
use crate::cluster::{kubectl, try_kubectl};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn missing_permissions_are_named_before_any_change() {
    let stranger = Kubeconfig::changed(|config| {
        config["users"][0]["user"]["as"] = json!("stranger");
    });
    let output = quote_helper_with(&stranger.path(), &["install", "--enable-sgxquotehelper"]);
    let output = { output }.output().unwrap();
    fails(&output, 1, &["patch", "namespaces", "daemonsets", "mutatingwebhookconfigurations"]);
    nothing_is_installed();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn an_unreachable_api_server_is_reported() {
    let nobody = Kubeconfig::changed(|config| {
        config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    });
    for command in ["install", "upgrade", "uninstall"] {
        let output = quote_helper_with(&nobody.path(), &[command]).output().unwrap();
        fails(&output, 1, &["https://127.0.0.1:1"]);
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn unknown_arguments_are_refused() {
    fails(&quote_helper(&["install", "--enable-quotes"]), 2, &["--enable-quotes"]);
    fails(&quote_helper(&["install", "--resource-profile=amazon"]), 2, &["amazon", "azure"]);
    nothing_is_installed();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn an_unavailable_image_is_named() {
    let output =
        quote_helper(&["install", "--platform=software", "--image=nowhere:1", "--timeout=10s"]);
    let _installed = AddOn;
    fails(&output, 1, &["nowhere:1", "sgx-plugin", "--image"]);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_terminating_namespace_is_named() {
    let ending = EndingNamespace::create("add-on-test-ending");
    let output = quote_helper(&["install", "--namespace", ending.0]);
    fails(&output, 1, &[ending.0, "being deleted"]);
    nothing_is_installed();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn one_of_two_concurrent_installs_is_refused() {
    let kubeconfig = PathBuf::from(std::env::var_os("KUBECONFIG").unwrap());
    let start = || {
        let mut command = quote_helper_with(&kubeconfig, &["install", "--platform=software"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    let both = both.map(|install| install.wait_with_output().unwrap());
    let _installed = AddOn;
    let (done, refused): (Vec<_>, Vec<_>) =
        both.into_iter().partition(|output| output.status.success());
    assert_eq!((done.len(), refused.len()), (1, 1), "{done:?} {refused:?}");
    fails(&refused[0], 1, &["has been installing, changing or removing", "nothing was changed"]);
}

#[track_caller]
pub(super) fn nothing_is_installed() {
    let objects = kubectl(
        &[
            "get",
            "ns,clusterroles,mutatingwebhookconfigurations",
            "-o=name",
            "-l=app.kubernetes.io/part-of=sgx-quote-helper",
        ],
        "",
    );
    assert_eq!(objects, "");
}

/// The cluster's kubeconfig with a change.
pub(super) struct Kubeconfig(TempDir);

impl Kubeconfig {
    pub(super) fn changed(change: impl FnOnce(&mut Value)) -> Self {
        let yaml = std::fs::read_to_string(std::env::var_os("KUBECONFIG").unwrap()).unwrap();
        let mut config: Value = serde_saphyr::from_str(&yaml).unwrap();
        change(&mut config);
        let changed = Self(tempfile::tempdir().unwrap());
        std::fs::write(changed.path(), config.to_string()).unwrap();
        changed
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("kubeconfig")
    }
}

/// A namespace that terminates when this is dropped.
struct EndingNamespace(&'static str);

impl EndingNamespace {
    fn create(name: &'static str) -> Self {
        let holding = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "holding", "namespace": name, "finalizers": ["example.com/hold"],
            },
        });
        kubectl(&["create", "namespace", name], "");
        kubectl(&["create", "-f=-"], &holding.to_string());
        kubectl(&["delete", "namespace", name, "--wait=false"], "");
        Self(name)
    }
}

impl Drop for EndingNamespace {
    fn drop(&mut self) {
        let release = r#"{"metadata":{"finalizers":null}}"#;
        let _ = try_kubectl(&["patch", "configmap", "holding", "-n", self.0, "-p", release], "");
        let _ = try_kubectl(&["wait", "namespace", self.0, "--for=delete", "--timeout=40s"], "");
    }
}
