//! Settings of all pods, and their record in the cluster.

use std::collections::BTreeMap;

use kube::core::DynamicObject;
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::manifests::{
    AddOn, Component, ComputeResources, InjectionMethod, LogLevel, Platform, Quantities,
};
use serde_json::{Value, json};

use crate::manifests::choices::{all, customized, everything, objects};
use crate::manifests::find;

/// The settings as the version before the settings of pods recorded them.
const RECORDED: &str = include_str!("settings/recorded.json");

/// The workload of each component.
const WORKLOADS: [(Component, &str, &str); 4] = [
    (Component::DevicePlugin, "DaemonSet", "sgx-plugin"),
    (Component::QuoteService, "DaemonSet", "sgx-quote-helper"),
    (Component::Pccs, "Deployment", "sgx-pccs"),
    (Component::Webhook, "Deployment", "sgx-webhook"),
];

fn pod(objects: &[DynamicObject], component: Component) -> Value {
    let (_, kind, name) = WORKLOADS.iter().find(|(it, ..)| *it == component).unwrap();
    find(objects, kind, name)["spec"]["template"].take()
}

fn arguments(objects: &[DynamicObject], component: Component) -> Vec<String> {
    let pod = pod(objects, component);
    serde_json::from_value(pod["spec"]["containers"][0]["args"].clone()).unwrap()
}

#[test]
fn cpu_and_memory_are_chosen_for_each_component() {
    let chosen = ComputeResources {
        requests: Quantities { cpu: Some("250m".to_owned()), memory: None },
        limits: Quantities { cpu: Some("2".to_owned()), memory: Some("1Gi".to_owned()) },
    };
    let before = objects(&everything(Platform::Dcap));
    for component in Component::ALL {
        let resources = [(component, chosen.clone())].into();
        let objects = objects(&AddOn { resources, ..everything(Platform::Dcap) });
        for (other, ..) in WORKLOADS {
            let resources =
                |objects| pod(objects, other)["spec"]["containers"][0]["resources"].take();
            let mut expected = resources(&before);
            if other == component {
                expected["requests"]["cpu"] = json!("250m");
                expected["limits"]["cpu"] = json!("2");
                expected["limits"]["memory"] = json!("1Gi");
            }
            assert_eq!(resources(&objects), expected, "{component} {other}");
        }
    }
}

#[test]
fn a_request_above_the_limit_is_refused() {
    let of = |cpu: &str, memory: &str| Quantities {
        cpu: Some(cpu.to_owned()),
        memory: Some(memory.to_owned()),
    };
    for (requests, limits, refused) in [
        (of("900m", "64Mi"), of("1", "64Mi"), None),
        (of("900m", "64Mi"), of("100m", "64Mi"), Some("cpu=900m, more than its limit of 100m")),
        (of("1", "65Mi"), of("1", "64Mi"), Some("memory=65Mi, more than its limit of 64Mi")),
        (of("1", "1Gi"), Quantities::default(), Some("its limit of 512Mi")),
    ] {
        let resources = [(Component::Pccs, ComputeResources { requests, limits })].into();
        let checked = AddOn { resources, ..AddOn::default() }.check_compute_resources();
        let error = checked.err().map(|error| error.to_string()).unwrap_or_default();
        match refused {
            None => assert_eq!(error, ""),
            Some(says) => {
                assert!(error.contains(says) && error.contains("--limits pccs"), "{error}");
            }
        }
    }
}

#[test]
fn affinities_replace_those_of_a_component() {
    let objects = objects(&customized(Platform::Dcap));
    for (component, ..) in WORKLOADS {
        let affinity = pod(&objects, component)["spec"]["affinity"].take();
        assert_eq!(affinity, json!({ "nodeAffinity": {} }), "{component}");
    }
}

#[test]
fn labels_and_annotations_are_on_all_objects_and_pods() {
    for platform in [Platform::Dcap, Platform::Software] {
        for injection in [InjectionMethod::Policy, InjectionMethod::Webhook] {
            let add_on = AddOn { injection: Some(injection), ..customized(platform) };
            for object in objects(&add_on) {
                let object = serde_json::to_value(&object).unwrap();
                let mut places = vec![&object["metadata"]];
                places.extend(object.pointer("/spec/template/metadata"));
                for metadata in places {
                    assert_eq!(metadata["labels"]["team"], "confidential", "{object:#}");
                    let contact = &metadata["annotations"]["example.com/contact"];
                    assert_eq!(contact, "ops@example.com", "{object:#}");
                }
            }
        }
    }
}

#[test]
fn labels_change_no_selector_and_none_of_the_add_on() {
    let strip = |object: &DynamicObject| {
        let mut object = serde_json::to_value(object).unwrap();
        for pointer in ["/metadata", "/spec/template/metadata"] {
            let Some(metadata) = object.pointer_mut(pointer) else { continue };
            metadata["labels"].as_object_mut().unwrap().remove("team");
        }
        object
    };
    let plain = everything(Platform::Dcap);
    let labels = ["team", "app.kubernetes.io/name", "app.kubernetes.io/part-of"]
        .map(|label| (label.to_owned(), "other".to_owned()));
    let labelled = AddOn { labels: labels.into(), ..plain.clone() };
    let is_settings = |object: &&DynamicObject| {
        object.metadata.name.as_deref() == Some("sgx-quote-helper-settings")
    };
    for (before, after) in objects(&plain).iter().zip(&objects(&labelled)) {
        if is_settings(&before) {
            continue;
        }
        let (mut before, mut after) = (strip(before), strip(after));
        for object in [&mut before, &mut after] {
            let labels = object["metadata"]["labels"].as_object_mut().unwrap();
            // Only pods have it of their own.
            labels.remove("app.kubernetes.io/name");
        }
        assert_eq!(after, before);
    }
}

#[test]
fn all_containers_log_at_the_chosen_level() {
    for choice in all() {
        let level = choice.add_on.log_level.to_string();
        for object in &choice.objects {
            let pod = &object.data["spec"]["template"]["spec"];
            for list in ["initContainers", "containers"] {
                for container in pod[list].as_array().into_iter().flatten() {
                    let variables = container["env"].as_array().unwrap();
                    let expected = json!({ "name": "QUOTE_HELPER_LOG", "value": level });
                    assert!(variables.contains(&expected), "{container:#}");
                }
            }
        }
    }
    assert_eq!(AddOn::default().log_level, LogLevel::Info);
}

#[test]
fn cdi_adds_its_directory_to_the_device_plugin() {
    for (add_on, has) in [(everything(Platform::Dcap), false), (customized(Platform::Dcap), true)] {
        let objects = objects(&add_on);
        let arguments = arguments(&objects, Component::DevicePlugin);
        assert_eq!(arguments.contains(&"--cdi-dir=/var/run/cdi".to_owned()), has);
        let pod = pod(&objects, Component::DevicePlugin);
        let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
        let writable = json!({ "name": "cdi", "mountPath": "/var/run/cdi" });
        assert_eq!(mounts.contains(&writable), has, "{mounts:?}");
    }
}

#[test]
fn simulated_epc_is_for_the_software_platform() {
    for (add_on, size) in [
        (everything(Platform::Software), Some("256MiB")),
        (customized(Platform::Software), Some("1GiB")),
        (customized(Platform::Dcap), None),
    ] {
        let arguments = arguments(&objects(&add_on), Component::DevicePlugin);
        let found = arguments.iter().find_map(|it| it.strip_prefix("--software-epc="));
        assert_eq!(found, size);
    }
}

#[test]
fn the_webhook_has_the_chosen_replicas() {
    for (add_on, replicas) in [(everything(Platform::Dcap), 2), (customized(Platform::Dcap), 3)] {
        let webhook = find(&objects(&add_on), "Deployment", "sgx-webhook");
        assert_eq!(webhook["spec"]["replicas"], replicas);
    }
}

#[test]
fn recorded_settings_get_defaults_for_what_they_lack() {
    let read: AddOn = serde_json::from_str(RECORDED).unwrap();
    let recorded: BTreeMap<String, Value> = serde_json::from_str(RECORDED).unwrap();
    let now: BTreeMap<String, Value> =
        serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    let defaults: BTreeMap<String, Value> =
        serde_json::from_value(serde_json::to_value(AddOn::default()).unwrap()).unwrap();
    for (field, value) in &now {
        assert_eq!(value, recorded.get(field).unwrap_or(&defaults[field]), "{field}");
    }
    let default = AddOn::default();
    assert_eq!(read.webhook_replicas, default.webhook_replicas);
    assert_eq!(read.software_epc, default.software_epc);
    assert_eq!((read.cdi, read.pod_monitor), (false, false));
}

#[test]
fn settings_survive_their_record() {
    let add_on = customized(Platform::Software);
    let settings = find(&objects(&add_on), "ConfigMap", "sgx-quote-helper-settings");
    let text = settings["data"]["settings.json"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<AddOn>(text).unwrap(), add_on);
}

#[test]
fn the_device_plugin_watches_the_quote_service_if_it_uses_the_api_server() {
    for (quote_service, epc_accounting, watches) in [
        (true, EpcAccounting::NodeStatus, true),
        (true, EpcAccounting::Devices, false),
        (false, EpcAccounting::NodeStatus, false),
    ] {
        let add_on = AddOn { quote_service, epc_accounting, ..everything(Platform::Dcap) };
        let objects = objects(&add_on);
        let arguments = arguments(&objects, Component::DevicePlugin);
        let socket = "--quote-service-socket=/var/run/aesmd/aesm.socket".to_owned();
        assert_eq!(arguments.contains(&socket), watches);
        let pod = pod(&objects, Component::DevicePlugin);
        let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
        let mount = json!({ "name": "aesmd", "mountPath": "/var/run/aesmd", "readOnly": true });
        assert_eq!(mounts.contains(&mount), watches, "{mounts:?}");
    }
}
