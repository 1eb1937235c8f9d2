//! The cluster, through `kubectl`.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A generous timeout.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits for a value, for a limited time.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        match find() {
            Some(found) => return found,
            None => assert!(begin.elapsed() < PATIENCE, "{what}: it does not come to that"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs `kubectl`, which must succeed, and returns its output.
#[track_caller]
pub(crate) fn kubectl(arguments: &[&str], input: &str) -> String {
    let Output { status, stdout, stderr } = try_kubectl(arguments, input);
    assert!(status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Runs `kubectl` to the end.
pub(crate) fn try_kubectl(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("kubectl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kubectl is in the PATH");
    // A program that does not read its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The version of the API server.
pub(crate) fn kubernetes_version() -> String {
    let versions: Value = serde_json::from_str(&kubectl(&["version", "-o=json"], "")).unwrap();
    versions["serverVersion"]["gitVersion"].as_str().unwrap().to_owned()
}

/// The first node.
pub(crate) fn node() -> Value {
    let nodes: Value = serde_json::from_str(&kubectl(&["get", "nodes", "-o=json"], "")).unwrap();
    nodes["items"][0].clone()
}

pub(crate) fn node_name() -> String {
    node()["metadata"]["name"].as_str().unwrap().to_owned()
}

/// The first node's address.
pub(crate) fn node_address() -> String {
    let node = node();
    let mut addresses = node["status"]["addresses"].as_array().unwrap().iter();
    let internal = addresses.find(|address| address["type"] == "InternalIP").unwrap();
    internal["address"].as_str().unwrap().to_owned()
}

/// The node's capacity of the resource.
pub(crate) fn capacity(resource: &str) -> Option<String> {
    Some(node()["status"]["capacity"][resource].as_str()?.to_owned())
}

/// Waits until this quantity is allocatable.
#[track_caller]
pub(crate) fn offers(resource: &str, quantity: u64) {
    let quantity = quantity.to_string();
    eventually(&format!("{quantity} of {resource}"), || {
        let allocatable = &node()["status"]["allocatable"];
        (allocatable[resource].as_str().unwrap_or("0") == quantity).then_some(())
    });
}

/// Removes the resource from the node's status.
pub(crate) fn remove_from_node_status(resource: &str) {
    eventually("no resource in the node's status", || {
        let mut node = node();
        for list in ["capacity", "allocatable"] {
            node["status"][list].as_object_mut().unwrap().remove(resource);
        }
        // Refused if the kubelet has set the status meanwhile.
        let path = format!("/api/v1/nodes/{}/status", node["metadata"]["name"].as_str().unwrap());
        let replaced = try_kubectl(&["replace", "--raw", &path, "-f=-"], &node.to_string());
        (replaced.status.success() && capacity(resource).is_none()).then_some(())
    });
}
