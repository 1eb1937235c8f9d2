//! The view of containers: exactly what they requested.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::host::{ENCLAVE_DEVICE, Host, PROVISION_DEVICE};
use crate::cluster::offers;
use crate::pod::{Pod, container};
use crate::{EPC, PROVISION};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn only_containers_with_epc_have_the_enclave_device_and_the_socket() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let pod = Pod::of_spec(json!({
        "containers": [container("with", &[(EPC, 10)]), container("without", &[])],
    }));
    let pod = pod.runs();
    let (with, without) = (surroundings(&pod, "with"), surroundings(&pod, "without"));
    let added: Vec<_> = with.difference(&without).collect();
    assert_eq!(
        added,
        ["/dev/sgx", "/dev/sgx/enclave", "/dev/sgx_enclave", "mount /var/run/aesmd ro"]
    );
    assert!(without.is_subset(&with));

    has_device(&pod, "with", "enclave", ENCLAVE_DEVICE);
    let (major, minor) = ENCLAVE_DEVICE;
    let own = format!("mknod /tmp/enclave c {major} {minor} && : <> /tmp/enclave");
    pod.fails("without", &own, "Operation not permitted");

    fs::write(host.aesm_dir().join("aesm.socket"), "new").unwrap();
    assert_eq!(pod.exec("with", "cat /var/run/aesmd/aesm.socket"), "new");
    pod.fails("with", "rm /var/run/aesmd/aesm.socket", "Read-only file system");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn provision_includes_only_the_provisioning_device() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(PROVISION, 1);
    let pod = Pod::of_spec(json!({
        "containers": [container("with", &[(PROVISION, 1)]), container("without", &[])],
    }));
    let pod = pod.runs();
    let (with, without) = (surroundings(&pod, "with"), surroundings(&pod, "without"));
    let added: Vec<_> = with.difference(&without).collect();
    assert_eq!(added, ["/dev/sgx", "/dev/sgx/provision", "/dev/sgx_provision"]);
    has_device(&pod, "with", "provision", PROVISION_DEVICE);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn with_both_a_container_has_both() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    offers(PROVISION, 1);
    let pod = Pod::create(&[(EPC, 10), (PROVISION, 1)]).runs();
    has_device(&pod, "main", "enclave", ENCLAVE_DEVICE);
    has_device(&pod, "main", "provision", PROVISION_DEVICE);
    pod.exec("main", "test -d /var/run/aesmd");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_epc_of_init_containers_is_reused() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    let mut init = container("init", &[(EPC, 168)]);
    init["command"] = json!(["sh", "-c", ": <> /dev/sgx_enclave && cd /var/run/aesmd"]);
    let pod = Pod::of_spec(json!({
        "initContainers": [init],
        "containers": [
            container("first", &[(EPC, 100)]),
            container("second", &[(EPC, 68)]),
            container("without", &[]),
        ],
    }));
    let pod = pod.runs();
    for name in ["first", "second"] {
        has_device(&pod, name, "enclave", ENCLAVE_DEVICE);
    }
    pod.fails("without", "ls /dev/sgx_enclave", "No such file or directory");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_directory_that_the_pod_mounts_is_kept() {
    let host = Host::new();
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);
    // As in the documentation of AKS, and in the quote service's pod.
    let mut main = container("main", &[(EPC, 10)]);
    main["env"] = json!([{ "name": "SGX_AESM_ADDR", "value": "1" }]);
    main["volumeMounts"] = json!([{ "name": "var-run-aesmd", "mountPath": "/var/run/aesmd" }]);
    let volume = json!({ "name": "var-run-aesmd", "hostPath": { "path": host.aesm_dir() } });
    let pod = Pod::of_spec(json!({ "containers": [main], "volumes": [volume] })).runs();

    has_device(&pod, "main", "enclave", ENCLAVE_DEVICE);
    pod.exec("main", "echo new > /var/run/aesmd/aesm.socket");
    assert_eq!(fs::read(host.aesm_dir().join("aesm.socket")).unwrap(), b"new\n");
}

/// The devices, the mounts and the environment.
fn surroundings(pod: &Pod, container: &str) -> BTreeSet<String> {
    let mounts = r#"awk '{ print "mount", $2, substr($4, 1, 2) }' /proc/self/mounts"#;
    let seen = pod.exec(container, &format!("find /dev; {mounts}; env"));
    seen.lines().map(str::to_owned).collect()
}

/// Checks that the container can read and write this device under both names.
#[track_caller]
fn has_device(pod: &Pod, container: &str, name: &str, (major, minor): (u32, u32)) {
    for path in [format!("/dev/sgx_{name}"), format!("/dev/sgx/{name}")] {
        let seen = pod.exec(container, &format!("stat -c '%F %t %T' {path} && : <> {path}"));
        assert_eq!(seen, format!("character special file {major:x} {minor:x}\n"), "{path}");
    }
}
