//! Helm, and this program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) const CHART: &str = "deploy/chart/sgx-quote-helper";

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs Helm with these arguments and this standard input.
pub(crate) fn helm(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("tools/helm.sh");
    command.args(arguments).current_dir(repository());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut helm = command.spawn().unwrap();
    helm.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    helm.wait_with_output().unwrap()
}

/// Renders the chart with these values, without hooks.
pub(crate) fn template(namespace: &str, version: &str, values: &Value) -> Result<String, String> {
    let arguments = ["template", "release", CHART, "--no-hooks", "--values=-"];
    let cluster = [format!("--namespace={namespace}"), format!("--kube-version={version}")];
    let cluster = cluster.iter().map(String::as_str);
    let arguments: Vec<_> = arguments.into_iter().chain(cluster).collect();
    let output = helm(&arguments, &values.to_string());
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

/// Runs `quote-helper manifests` with these options.
pub(crate) fn manifests(namespace: &str, version: &str, options: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
    command.arg("manifests").args(options).arg(format!("--namespace={namespace}"));
    command.arg(format!("--kubernetes-version={version}"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
