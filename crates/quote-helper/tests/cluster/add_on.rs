//! The add-on, installed in the cluster by `quote-helper install` on the software platform.

mod attacks;
mod chart;
mod check;
mod clients;
mod collateral;
mod conformance;
mod disruptions;
mod evidence;
mod gitops;
mod installer_role;
mod job;
mod jobs;
mod nodes;
mod previous_release;
mod refusals;
mod rollback;
mod surges;
mod switch;
mod trust_root;
mod updates;
mod workloads;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::cluster::{eventually, kubectl, node_name};

/// The namespace of the add-on.
const NAMESPACE: &str = "sgx-quote-helper";
/// The add-on's image: that of the variable `IMAGE`, or the one that `just cluster-test` builds.
pub(crate) fn image() -> String {
    std::env::var("IMAGE").unwrap_or(concat!("sgx-quote-helper:", env!("CARGO_PKG_VERSION")).into())
}

/// The same content with another version label, as an update.
fn next_image() -> String {
    std::env::var("NEXT_IMAGE").unwrap_or("sgx-quote-helper:next".into())
}

/// The add-on with a quote service; uninstalled when dropped.
struct AddOn;

impl AddOn {
    /// Installs it with additional arguments.
    #[track_caller]
    fn install(arguments: &[&str]) -> Self {
        let add_on = Self;
        let install = ["install", "--platform=software", "--image", &image()];
        succeeds(&quote_helper(&[&install, arguments].concat()));
        add_on
    }

    /// Installs it with a quote service on each node.
    #[track_caller]
    fn install_with_quote_service() -> Self {
        Self::install(&["--enable-sgxquotehelper"])
    }

    /// Removes it and returns the output.
    #[track_caller]
    fn uninstall(self) -> String {
        std::mem::forget(self);
        succeeds(&quote_helper(&["uninstall"]))
    }
}

impl Drop for AddOn {
    fn drop(&mut self) {
        let output = quote_helper(&["uninstall"]);
        assert!(output.status.success() || std::thread::panicking(), "{output:?}");
    }
}

/// `quote-helper` as an administrator of the cluster runs it.
fn quote_helper(arguments: &[&str]) -> Output {
    let kubeconfig = std::env::var_os("KUBECONFIG").expect("the test cluster's kubeconfig");
    quote_helper_with(Path::new(&kubeconfig), arguments).output().unwrap()
}

/// `quote-helper` with this kubeconfig.
fn quote_helper_with(kubeconfig: &Path, arguments: &[&str]) -> Command {
    program_with(Path::new(env!("CARGO_BIN_EXE_quote-helper")), kubeconfig, arguments)
}

/// Any version of the program with this kubeconfig.
fn program_with(program: &Path, kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("KUBECONFIG", kubeconfig);
    command
}

/// The output of a successful command, both streams.
#[track_caller]
fn succeeds(output: &Output) -> String {
    let printed = printed(output);
    assert!(output.status.success(), "{printed}");
    printed
}

/// The output of a command that must fail with this exit code and these words.
#[track_caller]
fn fails(output: &Output, code: i32, words: &[&str]) {
    let printed = printed(output);
    assert_eq!(output.status.code(), Some(code), "{printed}");
    for word in words {
        assert!(printed.contains(word), "{word:?} is not said: {printed}");
    }
}

fn printed(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    format!("{stdout}{stderr}")
}

/// The objects of this kind in the namespace.
fn list(kind: &str, namespace: &str) -> Vec<Value> {
    let listed = kubectl(&["get", kind, "-n", namespace, "-o=json"], "");
    match serde_json::from_str::<Value>(&listed).unwrap()["items"].take() {
        Value::Array(items) => items,
        other => panic!("no list: {other}"),
    }
}

/// The images of all workloads.
fn images() -> Vec<String> {
    let workloads = [list("daemonsets", NAMESPACE), list("deployments", NAMESPACE)].concat();
    let image = |workload: &Value| {
        let container = &workload["spec"]["template"]["spec"]["containers"][0];
        container["image"].as_str().unwrap().to_owned()
    };
    let mut images: Vec<_> = workloads.iter().map(image).collect();
    images.sort();
    images.dedup();
    images
}

/// The software platform's root.
fn root() -> Value {
    let secrets = list("secrets", NAMESPACE);
    let is_root = |secret: &&Value| secret["metadata"]["name"] == "sgx-software-platform";
    secrets.iter().find(is_root).unwrap()["data"].clone()
}

/// The pod of the quote service on the first node, once it is ready.
#[track_caller]
fn quote_service_pod() -> Value {
    let node = node_name();
    eventually("the quote service is ready", || {
        list("pods", NAMESPACE).into_iter().find(|pod| {
            let is_here = pod["spec"]["nodeName"] == node.as_str();
            let is_service =
                pod["metadata"]["labels"]["app.kubernetes.io/name"] == "sgx-quote-helper";
            let is_deleted = !pod["metadata"]["deletionTimestamp"].is_null();
            is_here && is_service && !is_deleted && is_ready(pod)
        })
    })
}

fn is_ready(pod: &Value) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
