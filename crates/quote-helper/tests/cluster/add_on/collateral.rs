//! The cluster's PCCS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::chown;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::job::Job;
use super::{AddOn, NAMESPACE, fails, is_ready, list, quote_helper, succeeds};
use crate::cluster::{eventually, kubectl, try_kubectl};

/// The name for verifiers.
const HOST: &str = "sgx-pccs.sgx-quote-helper.svc";
/// The software platform's collateral.
const SOURCE: &str = "--pccs-source=http://sgx-collateral.sgx-quote-helper.svc:17492";
/// A volume's data outside of the add-on's objects.
const KINDS: &str = "deployments,services,persistentvolumeclaims,configmaps,pods";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn verifiers_use_the_clusters_pccs() {
    let add_on = AddOn::install_with_quote_service();
    let done = upgrade(&["--enable-pccs", SOURCE]);
    assert!(done.contains("PCCS"), "{done}");
    // Only its address changes in other objects.
    let url =
        kubectl(&["get", "configmap", "sgx-verification", "-o=jsonpath={.data.pccs-url}"], "");
    assert_eq!(url, format!("http://{HOST}:8081"));

    let crl = get(&address(), "/sgx/certification/v4/rootcacrl");
    assert!(crl.starts_with("HTTP/1.1 200"), "{crl}");
    let hexadecimal = crl.split("\r\n\r\n").nth(1).unwrap();
    assert!(hexadecimal.starts_with("30") && hexadecimal.len() > 300, "{crl}");

    Job::of_sample("remote-attestation-job.yaml").completes();
    let checked = succeeds(&quote_helper(&["check", "--cluster", "-v"]));
    assert!(checked.contains("sgx-pccs") && checked.contains("failed: 0"), "{checked}");

    add_on.uninstall();
    let left = ["get", KINDS, "-A", "-o=name", "-l=app.kubernetes.io/part-of=sgx-quote-helper"];
    assert_eq!(kubectl(&left, ""), "");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn its_volume_outlives_its_pod() {
    let volume = HostVolume::create();
    let _add_on = AddOn::install_with_quote_service();
    upgrade(&["--enable-pccs", SOURCE, "--pccs-storage=16Mi"]);
    get(&address(), "/sgx/certification/v4/rootcacrl");

    // This mode fetches nothing: the data was kept.
    upgrade(&["--pccs-mode=offline"]);
    let crl = get(&address(), "/sgx/certification/v4/rootcacrl");
    assert!(crl.starts_with("HTTP/1.1 200"), "{crl}");

    upgrade(&["--disable-pccs"]);
    let claims = ["get", "persistentvolumeclaims", "-n", NAMESPACE, "-o=name"];
    assert_eq!(kubectl(&claims, ""), "");
    drop(volume);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn startup_failures_are_reported() {
    let _add_on = AddOn::install(&[]);
    let without_quotes = quote_helper(&["upgrade", "--enable-pccs"]);
    fails(&without_quotes, 1, &["--enable-sgxquotehelper"]);

    succeeds(&quote_helper(&["upgrade", "--enable-sgxquotehelper"]));
    let without_secret = ["--enable-pccs", "--pccs-secret=tokens", "--timeout=8s"];
    let without_secret =
        quote_helper(&[&["upgrade", "--no-rollback"], &without_secret[..]].concat());
    fails(&without_secret, 1, &["sgx-pccs", "secret \"tokens\" not found"]);
    check_says("0 of 1 pods are ready");

    let hash = "--from-literal=admin-token-hash=password";
    kubectl(&["create", "secret", "generic", "tokens", "-n", NAMESPACE, hash], "");
    upgrade(&["--pccs-secret=tokens=admin-token-hash", "--no-wait"]);
    check_says("kubectl logs");

    // There is no StorageClass and no volume.
    upgrade(&["--pccs-storage=16Mi", "--no-wait"]);
    // The next pod waits for the end of this one, which may take a while if it fails to start.
    let label = "-l=app.kubernetes.io/name=sgx-pccs";
    kubectl(&["delete", "pods", "-n", NAMESPACE, label, "--grace-period=0", "--force"], "");
    check_says("StorageClass");
}

/// Waits for this finding of `check` about the PCCS.
#[track_caller]
fn check_says(words: &str) {
    eventually(words, || {
        let output = quote_helper(&["check", "--cluster", "--output=json"]);
        let diagnosis: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sections = diagnosis["sections"].as_array().unwrap().iter();
        let mut findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
        let is_it = |it: &Value| it["name"] == "sgx-pccs" && it.to_string().contains(words);
        findings.any(is_it).then_some(())
    });
}

#[track_caller]
fn upgrade(arguments: &[&str]) -> String {
    succeeds(&quote_helper(&[&["upgrade"], arguments].concat()))
}

/// The address of its pod.
#[track_caller]
fn address() -> String {
    eventually("the PCCS is ready", || {
        let pod = list("pods", NAMESPACE).into_iter().find(|pod| {
            let is_pccs = pod["metadata"]["labels"]["app.kubernetes.io/name"] == "sgx-pccs";
            is_pccs && pod["metadata"]["deletionTimestamp"].is_null() && is_ready(pod)
        });
        Some(pod?["status"]["podIP"].as_str().unwrap().to_owned())
    })
}

/// Its response.
#[track_caller]
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect((address, 8081)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A PersistentVolume in a directory of the node; deleted when dropped.
struct HostVolume {
    _directory: TempDir,
}

impl HostVolume {
    const NAME: &'static str = "add-on-test-pccs";

    #[track_caller]
    fn create() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // The kubelet gives volumes to the pod's group, except those of the host.
        chown(directory.path(), Some(65532), Some(65532)).unwrap();
        let volume: Value = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": { "name": Self::NAME },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": { "storage": "16Mi" },
                "hostPath": { "path": directory.path() },
            },
        });
        kubectl(&["create", "-f=-"], &volume.to_string());
        Self { _directory: directory }
    }
}

impl Drop for HostVolume {
    fn drop(&mut self) {
        let deleted = try_kubectl(&["delete", "persistentvolume", Self::NAME], "");
        assert!(deleted.status.success() || std::thread::panicking(), "{deleted:?}");
    }
}
