//! The add-on's pods.

use kubernetes::manifests::{AddOn, InjectionMethod, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{all, everything, objects};
use crate::manifests::find;

/// Containers and their pod, of all workloads.
fn containers(objects: &[kube::core::DynamicObject]) -> Vec<(Value, Value)> {
    let objects = serde_json::to_value(objects).unwrap();
    let mut containers = Vec::new();
    for object in objects.as_array().unwrap() {
        let pod = &object["spec"]["template"]["spec"];
        for list in ["initContainers", "containers"] {
            for container in pod[list].as_array().into_iter().flatten() {
                containers.push((container.clone(), pod.clone()));
            }
        }
    }
    containers
}

#[test]
fn containers_have_minimal_privileges() {
    for choice in all() {
        for (container, _) in containers(&choice.objects) {
            let name = container["name"].as_str().unwrap();
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert_eq!(security["privileged"], Value::Null, "{name}");
            assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{name}");
            // Root is needed for the kubelet's directory, and to give away those of the service.
            let (user, capabilities) = match name {
                "device-plugin" => (0, Value::Null),
                "directories" => (0, json!(["CHOWN"])),
                "quote-service" => (61100, Value::Null),
                "pccs" => (61101, Value::Null),
                "webhook" => (61102, Value::Null),
                _ => panic!("another container: {name}"),
            };
            assert_eq!(security["runAsUser"], user, "{name}");
            assert_eq!(security["runAsNonRoot"], user != 0, "{name}");
            assert_eq!(security["capabilities"]["add"], capabilities, "{name}");
        }
    }
}

#[test]
fn pods_share_only_directories_and_pids_with_their_node() {
    for choice in all() {
        for (_, pod) in containers(&choice.objects) {
            for shared in ["hostNetwork", "hostIPC"] {
                assert_eq!(pod[shared], Value::Null, "{shared}");
            }
            let main = &pod["containers"][0]["name"];
            let sees_processes = main == "quote-service";
            assert_eq!(pod["hostPID"] == true, sees_processes, "{main}");
        }
    }
}

#[test]
fn the_pid_namespace_is_shared_only_if_chosen() {
    let add_on = AddOn { host_pid: false, ..everything(Platform::Dcap) };
    for (container, pod) in containers(&objects(&add_on)) {
        assert_eq!(pod["hostPID"], Value::Null, "{}", container["name"]);
    }
}

#[test]
fn only_the_quote_service_on_real_sgx_gets_the_provisioning_key() {
    for choice in all() {
        for (container, _) in containers(&choice.objects) {
            let limit = &container["resources"]["limits"]["sgx.intel.com/provision"];
            let may =
                container["name"] == "quote-service" && choice.add_on.platform == Platform::Dcap;
            assert_eq!(limit.as_str(), may.then_some("1"), "{container:#}");
        }
    }
}

#[test]
fn the_quote_service_waits_for_the_device_plugin() {
    for (profile, resource, quantity) in [
        ("azure", "kubernetes.azure.com/sgx_epc_mem_in_MiB", "16"),
        ("aliyun", "alibabacloud.com/sgx_epc_MiB", "16"),
        ("intel", "sgx.intel.com/epc", "16Mi"),
        ("intel=1GiB,azure", "sgx.intel.com/epc", "16Mi"),
    ] {
        let add_on =
            AddOn { resource_profile: profile.parse().unwrap(), ..everything(Platform::Dcap) };
        let service = find(&objects(&add_on), "DaemonSet", "sgx-quote-helper");
        let limits = &service["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"];
        assert_eq!(limits[resource], quantity, "{profile}");
        assert_eq!(limits["sgx.intel.com/enclave"], "1", "{profile}");
    }
}

/// The kubelet puts the output of the probe into an Event; the reason is there for a minute.
#[test]
fn the_quote_service_says_by_its_startup_probe_why_it_does_not_take_over() {
    for choice in all() {
        for (container, pod) in containers(&choice.objects) {
            let probe = &container["startupProbe"];
            if container["name"] != "quote-service" {
                assert_eq!(*probe, Value::Null);
                continue;
            }
            assert_eq!(probe["exec"]["command"], json!(["quote-helper", "startup-probe"]));
            let number = |field: &str| probe[field].as_u64().unwrap();
            assert!(number("periodSeconds") * number("failureThreshold") > 60, "{probe}");
            assert!(number("timeoutSeconds") > 8, "{probe}");
            assert_eq!(pod["automountServiceAccountToken"], false);
        }
    }
}

#[test]
fn the_quote_service_is_optional() {
    let injection = Some(InjectionMethod::Webhook);
    let objects = objects(&AddOn { injection, ..AddOn::default() });
    let arguments = |kind, name| {
        let object = find(&objects, kind, name);
        object["spec"]["template"]["spec"]["containers"][0]["args"].to_string()
    };
    assert!(!objects.iter().any(|object| crate::manifests::is(
        object,
        "DaemonSet",
        "sgx-quote-helper"
    )));
    assert!(arguments("DaemonSet", "sgx-plugin").contains("--no-aesm-dir"));
    assert!(arguments("Deployment", "sgx-webhook").contains("--quote-service=false"));
}

#[test]
fn real_quotes_need_nodes_with_sgx() {
    for (platform, terms) in [(Platform::Dcap, 4), (Platform::Software, 0)] {
        let service = find(&objects(&everything(platform)), "DaemonSet", "sgx-quote-helper");
        let affinity = &service["spec"]["template"]["spec"]["affinity"]["nodeAffinity"];
        let selector = &affinity["requiredDuringSchedulingIgnoredDuringExecution"];
        let found = selector["nodeSelectorTerms"].as_array().map_or(0, Vec::len);
        assert_eq!(found, terms, "{service:#}");
        // The device plugin is idle where there is none.
        let plugin = find(&objects(&everything(platform)), "DaemonSet", "sgx-plugin");
        assert_eq!(plugin["spec"]["template"]["spec"]["affinity"], Value::Null);
    }
}

#[test]
fn pods_run_on_the_chosen_nodes() {
    let add_on = AddOn {
        node_selector: [("pool".to_owned(), "sgx".to_owned())].into(),
        tolerations: vec![serde_json::from_value(json!({ "operator": "Exists" })).unwrap()],
        ..everything(Platform::Dcap)
    };
    let objects = objects(&add_on);
    for (kind, name) in [
        ("DaemonSet", "sgx-plugin"),
        ("DaemonSet", "sgx-quote-helper"),
        ("Deployment", "sgx-webhook"),
        ("Deployment", "sgx-pccs"),
    ] {
        let pod = find(&objects, kind, name)["spec"]["template"]["spec"].take();
        assert_eq!(pod["nodeSelector"]["pool"], "sgx", "{name}");
        assert_eq!(pod["nodeSelector"]["kubernetes.io/arch"], "amd64", "{name}");
        let tolerations = pod["tolerations"].as_array().unwrap();
        let of_resource = |one: &Value| one["key"] == "kubernetes.azure.com/sgx_epc_mem_in_MiB";
        assert!(tolerations.iter().any(of_resource), "{name}");
        assert_eq!(tolerations.last().unwrap(), &json!({ "operator": "Exists" }), "{name}");
        assert_eq!(pod["imagePullSecrets"], json!([{ "name": "registry" }]), "{name}");
    }
}

#[test]
fn only_the_quote_service_has_the_host_groups() {
    let objects = objects(&everything(Platform::Dcap));
    let pod = find(&objects, "DaemonSet", "sgx-quote-helper")["spec"]["template"]["spec"].take();
    assert_eq!(pod["securityContext"]["supplementalGroups"], json!([108]));
    let pod = find(&objects, "DaemonSet", "sgx-plugin")["spec"]["template"]["spec"].take();
    assert_eq!(pod["securityContext"], Value::Null);
}

#[test]
fn the_image_depends_on_the_platform() {
    let version = env!("CARGO_PKG_VERSION");
    for (chosen, platform, image) in [
        (None, Platform::Dcap, format!("sgx-quote-helper-sgx:{version}")),
        (None, Platform::Software, format!("sgx-quote-helper:{version}")),
        (Some("registry.example/one:2"), Platform::Dcap, "registry.example/one:2".to_owned()),
    ] {
        let add_on = AddOn { image: chosen.map(str::to_owned), ..everything(platform) };
        for (container, _) in containers(&objects(&add_on)) {
            assert_eq!(container["image"], image);
        }
    }
}

#[test]
fn the_chosen_users_are_set() {
    let add_on = AddOn { first_uid: 70_000, ..everything(Platform::Dcap) };
    let users = containers(&objects(&add_on)).into_iter().map(|(container, _)| {
        let security = &container["securityContext"];
        assert_eq!(security["runAsUser"], security["runAsGroup"]);
        security["runAsUser"].as_i64().unwrap()
    });
    let mut users: Vec<_> = users.collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!(users, [0, 70_000, 70_001, 70_002]);
}

/// State of earlier versions or other settings belongs to another user.
#[test]
fn state_is_chowned_before_use() {
    for (kind, name, directories) in [
        ("DaemonSet", "sgx-quote-helper", json!(["/var/run/aesmd", "/var/lib/quote-helper"])),
        ("Deployment", "sgx-pccs", json!(["/var/lib/quote-helper", "/var/lib/quote-helper/pccs"])),
    ] {
        let object = find(&objects(&everything(Platform::Dcap)), kind, name);
        let pod = &object["spec"]["template"]["spec"];
        let user = &pod["containers"][0]["securityContext"]["runAsUser"];
        let arguments = pod["initContainers"][0]["args"].as_array().unwrap();
        assert_eq!(
            arguments[..3],
            [json!("chown"), json!(format!("--user={user}")), json!("--if-present")]
        );
        assert_eq!(json!(arguments[3..]), directories, "{name}");
    }
}
