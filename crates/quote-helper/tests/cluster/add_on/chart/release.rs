//! A release of the chart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::add_on::{NAMESPACE, image, succeeds};
use crate::cluster::{kubectl, try_kubectl};

/// The release `sgx`; uninstalled when dropped.
pub(super) struct Release;

impl Release {
    /// Installs it on the software platform, with additional arguments.
    #[track_caller]
    pub(super) fn install(arguments: &[&str]) -> Self {
        let release = Self;
        let options = ["--create-namespace", "--wait", "--timeout=3m"];
        succeeds(&helm(&chart("install", &[&options, arguments].concat())));
        release
    }

    /// Changes some values, and keeps the others.
    #[track_caller]
    pub(super) fn upgrade(&self, argument: &str) {
        let options = ["--reuse-values", "--wait", "--timeout=3m", argument];
        let upgrade = ["upgrade", "sgx", &directory().display().to_string()].map(str::to_owned);
        let arguments: Vec<_> = upgrade.iter().map(String::as_str).chain(options).collect();
        succeeds(&helm(&arguments));
    }

    #[track_caller]
    pub(super) fn uninstall(self) {
        std::mem::forget(self);
        succeeds(&helm(&["uninstall", "sgx", "--timeout=3m"]));
        remove_namespace();
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let output = helm(&["uninstall", "sgx", "--timeout=3m"]);
        assert!(output.status.success() || std::thread::panicking(), "{output:?}");
        remove_namespace();
    }
}

/// Helm creates it, and does not remove it.
fn remove_namespace() {
    kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"], "");
}

/// The arguments of a change of the release to the chart of this repository.
pub(super) fn chart<'a>(command: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let chart =
        ["sgx", concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/chart/sgx-quote-helper")];
    let image = Box::leak(format!("--set=image={}", image()).into_boxed_str());
    let values = ["--set=platform=software", image];
    [&[command], &chart[..], &values, arguments].concat()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/chart/sgx-quote-helper")
}

/// Runs Helm in the add-on's namespace.
pub(super) fn helm(arguments: &[&str]) -> Output {
    let helm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/helm.sh");
    Command::new(helm).args(arguments).args(["--namespace", NAMESPACE]).output().unwrap()
}

/// The objects of the add-on, of all kinds.
pub(super) fn left_behind() -> String {
    let kinds = kubectl(&["api-resources", "--verbs=list,delete", "-o=name"], "");
    let kinds: Vec<_> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    let ours = "-l=app.kubernetes.io/part-of=sgx-quote-helper";
    let found = try_kubectl(&["get", &kinds.join(","), "-A", "-o=name", ours], "");
    String::from_utf8(found.stdout).unwrap()
}
