//! The promises of the Jobs in `deploy/samples`.

use std::path::Path;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::injection::{Injection, Settings, inject};
use kubernetes::manifests::{TRUST_BUNDLE, TRUSTED_ROOT_KEY, VERIFICATION};
use serde_json::Value;

const OUT_OF_PROCESS: [&str; 3] = [
    "remote-attestation-job",
    "remote-attestation-host-path-job",
    "remote-attestation-annotation-job",
];
const IN_PROCESS: &str = "remote-attestation-in-process-job";
const ROOTS: &str = "/etc/sgx-verification/trust-bundle.pem,/etc/sgx-verification/trusted-root.pem";
const EPC: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";

fn all() -> impl Iterator<Item = &'static str> {
    OUT_OF_PROCESS.into_iter().chain([IN_PROCESS])
}

fn yaml(name: &str) -> Value {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples");
    let text = std::fs::read_to_string(samples.join(name).with_extension("yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn job(name: &str) -> Job {
    // Read as YAML, for which `10` is a quantity too.
    serde_saphyr::from_str(&yaml(name).to_string()).unwrap()
}

fn pod(name: &str) -> Pod {
    let template = job(name).spec.unwrap().template;
    Pod { metadata: template.metadata.unwrap_or_default(), spec: template.spec, status: None }
}

fn spec(name: &str) -> PodSpec {
    pod(name).spec.unwrap()
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// The source of a variable's value, as JSON.
fn variable(container: &Container, name: &str) -> Option<Value> {
    let variable = container.env.iter().flatten().find(|variable| variable.name == name)?;
    Some(match &variable.value {
        Some(value) => Value::from(value.as_str()),
        None => serde_json::to_value(&variable.value_from).unwrap(),
    })
}

/// True if both are equal, except for quantities that are numbers in YAML.
fn same(written: &Value, typed: &Value) -> bool {
    match (written, typed) {
        (Value::Object(written), Value::Object(typed)) => {
            written.len() == typed.len()
                && written.iter().all(|(key, value)| match (key.as_str(), typed.get(key)) {
                    (EPC, Some(typed)) => typed.as_str() == Some(&value.to_string()),
                    (_, Some(typed)) => same(value, typed),
                    (_, None) => false,
                })
        }
        (Value::Array(written), Value::Array(typed)) => {
            written.len() == typed.len()
                && written.iter().zip(typed).all(|(written, typed)| same(written, typed))
        }
        _ => written == typed,
    }
}

#[test]
fn each_is_a_job_with_known_fields_of_the_right_types_only() {
    for name in all() {
        let (written, typed) = (yaml(name), serde_json::to_value(job(name)).unwrap());
        assert!(same(&written, &typed), "{name}:\n{written:#}\n{typed:#}");
        assert_eq!(job(name).metadata.name.unwrap(), name.strip_suffix("-job").unwrap());
    }
}

#[test]
fn a_field_that_is_not_known_or_a_number_for_a_string_would_be_noticed() {
    let mut written = yaml(OUT_OF_PROCESS[0]);
    let typed = serde_json::to_value(job(OUT_OF_PROCESS[0])).unwrap();
    let value = written.pointer_mut("/spec/template/spec/containers/0/env/0/value").unwrap();
    assert_eq!(value.take(), "1");
    assert!(!same(&written, &typed));
    let mut written = yaml(OUT_OF_PROCESS[0]);
    written["spec"]["backofLimit"] = Value::from(3);
    assert!(!same(&written, &typed));
}

#[test]
fn alice_and_bob_meet_in_each() {
    for name in all() {
        let spec = spec(name);
        let names: Vec<_> = spec.containers.iter().map(|container| &container.name).collect();
        assert_eq!(names, ["alice", "bob"], "{name}");
        for (container, role) in spec.containers.iter().zip(["--listen", "--connect"]) {
            let arguments = ["--name", &container.name, role, "127.0.0.1:7000"];
            assert_eq!(container.args.as_deref().unwrap(), arguments, "{name}");
            let image = concat!("sgx-remote-attestation:", env!("CARGO_PKG_VERSION"));
            assert_eq!(container.image.as_deref(), Some(image));
        }
        for container in containers(&spec) {
            assert_eq!(container.image_pull_policy.as_deref(), Some("IfNotPresent"), "{name}");
        }
    }
}

#[test]
fn each_ends_and_goes_away() {
    for name in all() {
        let job = job(name).spec.unwrap();
        assert!(job.backoff_limit.is_some() && job.ttl_seconds_after_finished.is_some(), "{name}");
        assert_eq!(spec(name).restart_policy.as_deref(), Some("Never"), "{name}");
    }
}

#[test]
fn each_opts_in_in_its_own_way_only() {
    let opts_in = |name| {
        let pod = pod(name);
        let spec = pod.spec.unwrap();
        let containers = || spec.containers.iter();
        let is_one = |it| variable(it, "SGX_AESM_ADDR") == Some("1".into());
        let has_variable = containers().all(is_one);
        let no_variable = containers().all(|it| variable(it, "SGX_AESM_ADDR").is_none());
        assert!(has_variable || no_variable, "{name}: both containers or none");
        let host_path = spec.volumes.iter().flatten().find_map(|it| it.host_path.as_ref());
        (has_variable, host_path.map(|it| it.path.clone()), pod.metadata.annotations.is_some())
    };
    assert_eq!(opts_in("remote-attestation-job"), (true, None, false));
    let directory = Some("/var/run/aesmd".to_owned());
    assert_eq!(opts_in("remote-attestation-host-path-job"), (true, directory, false));
    assert_eq!(opts_in("remote-attestation-annotation-job"), (false, None, true));
    assert_eq!(opts_in(IN_PROCESS), (false, None, false));
}

/// A file that happens to be there is no reason to trust anybody.
#[test]
fn the_root_of_the_software_platform_is_trusted_because_the_job_says_so() {
    for name in OUT_OF_PROCESS {
        for container in &spec(name).containers {
            let root = variable(container, "REMOTE_ATTESTATION_TRUSTED_ROOT");
            assert_eq!(root, Some(ROOTS.into()), "{name}");
        }
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples");
        let text = std::fs::read_to_string(samples.join(name).with_extension("yaml")).unwrap();
        assert!(text.contains("# INSECURE, for the software platform only"), "{name}");
    }
}

#[test]
fn verifiers_read_an_optional_trust_bundle_and_config_map() {
    for name in OUT_OF_PROCESS {
        let spec = spec(name);
        for container in &spec.containers {
            let pccs = variable(container, "REMOTE_ATTESTATION_PCCS").unwrap();
            let from = serde_json::json!({ "configMapKeyRef":
                { "name": "sgx-verification", "key": "pccs-url", "optional": true } });
            assert_eq!(pccs, from, "{name}");
            let mounts = container.volume_mounts.as_deref().unwrap();
            let root = mounts.iter().find(|mount| mount.mount_path == "/etc/sgx-verification");
            assert_eq!(root.unwrap().name, "sgx-verification", "{name}");
        }
        let mut volumes = spec.volumes.as_deref().unwrap().iter();
        let projected = volumes.find_map(|volume| volume.projected.as_ref()).unwrap();
        let [bundle, config_map] = projected.sources.as_deref().unwrap() else { panic!("{name}") };
        let bundle = bundle.cluster_trust_bundle.as_ref().unwrap();
        assert_eq!(bundle.name.as_deref(), Some(TRUST_BUNDLE), "{name}");
        assert_eq!((&*bundle.path, bundle.optional), ("trust-bundle.pem", Some(true)), "{name}");
        let config_map = config_map.config_map.as_ref().unwrap();
        assert_eq!((&*config_map.name, config_map.optional), (VERIFICATION, Some(true)));
        let items = config_map.items.as_deref().unwrap();
        assert_eq!((&*items[0].key, &*items[0].path), (TRUSTED_ROOT_KEY, "trusted-root.pem"));
    }
}

/// The profile "restricted" of the Pod Security Standards, but for volumes.
fn is_restricted(spec: &PodSpec) -> bool {
    let pod = spec.security_context.as_ref().unwrap();
    let seccomp = pod.seccomp_profile.as_ref().map(|profile| &*profile.type_);
    let is_restricted = |container: &Container| {
        let context = container.security_context.as_ref().unwrap();
        let capabilities = context.capabilities.as_ref().unwrap();
        context.allow_privilege_escalation == Some(false)
            && capabilities.add.is_none()
            && capabilities.drop.as_deref() == Some(&["ALL".to_owned()])
    };
    pod.run_as_non_root == Some(true)
        && pod.run_as_user == Some(65532)
        && seccomp == Some("RuntimeDefault")
        && [spec.host_network, spec.host_pid, spec.host_ipc] == [None; 3]
        && containers(spec).all(is_restricted)
}

#[test]
fn each_runs_without_privileges() {
    for name in all() {
        let spec = spec(name);
        assert!(is_restricted(&spec), "{name}");
        assert_eq!(spec.automount_service_account_token, Some(false), "{name}");
        for container in containers(&spec) {
            let context = container.security_context.as_ref().unwrap();
            assert_eq!(context.read_only_root_filesystem, Some(true), "{name}");
            assert_eq!(context.privileged, None, "{name}");
        }
        let has_host_path = spec.volumes.iter().flatten().any(|it| it.host_path.is_some());
        assert_eq!(has_host_path, name.contains("host-path"), "{name}");
    }
}

#[test]
fn each_container_with_a_quote_service_has_epc_and_needs_nothing_more() {
    for name in OUT_OF_PROCESS {
        for container in spec(name).containers {
            let limits = container.resources.unwrap().limits.unwrap();
            let limits: Vec<_> = limits.iter().map(|(name, it)| (name.as_str(), &*it.0)).collect();
            assert_eq!(limits, [(EPC, "10")], "{name}");
        }
    }
}

#[test]
fn injection_has_nothing_to_warn_of_and_points_each_to_the_quote_service() {
    let settings = |socket_by_device_plugin| Settings {
        aesm_dir: "/var/run/aesmd".into(),
        socket_by_device_plugin,
        epc_accounting: EpcAccounting::Devices,
        has_quote_service: true,
        add_on_uids: 61100..=61102,
    };
    for name in all() {
        for by_device_plugin in [false, true] {
            let Injection { pod, warnings } = inject(pod(name), &settings(by_device_plugin));
            assert!(warnings.is_empty(), "{name}: {warnings:?}");
            for container in pod.spec.unwrap().containers {
                let expected = (name != IN_PROCESS).then(|| Value::from("1"));
                assert_eq!(variable(&container, "SGX_AESM_ADDR"), expected, "{name}");
            }
        }
    }
}
