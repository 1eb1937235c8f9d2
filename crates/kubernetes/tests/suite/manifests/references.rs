//! Objects that refer to each other.

use std::collections::BTreeSet;

use kube::core::DynamicObject;
use kubernetes::manifests::{AddOn, Platform};
use serde_json::Value;

use crate::manifests::choices::{PCCS_SECRET, all, everything, objects};
use crate::manifests::{find, is, kind};

#[test]
fn dependencies_of_a_pod_precede_it() {
    for choice in all() {
        for (place, object) in choice.objects.iter().enumerate() {
            let before = &choice.objects[..place];
            let pod = &object.data["spec"]["template"]["spec"];
            for (kind, name) in needs(pod) {
                assert!(
                    before.iter().any(|object| is(object, kind, &name)),
                    "{kind} {name} does not come before {:?}",
                    object.metadata.name
                );
            }
        }
    }
}

fn needs(pod: &Value) -> Vec<(&'static str, String)> {
    let mut needs = Vec::new();
    let mut need = |kind, name: &Value| {
        needs.extend(name.as_str().map(|name| (kind, name.to_owned())));
    };
    need("ServiceAccount", &pod["serviceAccountName"]);
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        need("Secret", &volume["secret"]["secretName"]);
        need("ConfigMap", &volume["configMap"]["name"]);
        need("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]);
    }
    needs.retain(|(kind, name)| (*kind, name.as_str()) != ("Secret", PCCS_SECRET));
    needs
}

#[test]
fn mounts_have_volumes_and_volumes_are_mounted() {
    for choice in all() {
        let mut all_mounted = BTreeSet::new();
        for object in &choice.objects {
            let pod = &object.data["spec"]["template"]["spec"];
            let names = |list: &Value| -> BTreeSet<String> {
                let each = list.as_array().into_iter().flatten();
                each.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
            };
            let mut mounted = BTreeSet::new();
            for list in ["initContainers", "containers"] {
                for container in pod[list].as_array().into_iter().flatten() {
                    mounted.extend(names(&container["volumeMounts"]));
                }
            }
            assert_eq!(mounted, names(&pod["volumes"]), "{:?}", object.metadata.name);
            all_mounted.append(&mut mounted);
        }
        assert!(!all_mounted.is_empty(), "each choice has a workload that mounts something");
    }
}

#[test]
fn services_lead_to_ports_of_pods() {
    let objects = objects(&everything(Platform::Software));
    for (service, kind, name) in [
        ("sgx-webhook", "Deployment", "sgx-webhook"),
        ("sgx-collateral", "DaemonSet", "sgx-quote-helper"),
        ("sgx-pccs", "Deployment", "sgx-pccs"),
    ] {
        let service = find(&objects, "Service", service);
        let template = find(&objects, kind, name)["spec"]["template"].take();
        let (label, value) =
            service["spec"]["selector"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(&template["metadata"]["labels"][label], value);
        let port = &service["spec"]["ports"][0]["targetPort"];
        let ports = template["spec"]["containers"][0]["ports"].as_array().unwrap();
        assert!(ports.iter().any(|other| &other["name"] == port), "{port} in {ports:?}");
    }
}

#[test]
fn workloads_select_their_own_pods_alone() {
    for choice in all() {
        let mut selectors = BTreeSet::new();
        for object in &choice.objects {
            let Some(selector) = object.data["spec"]["selector"]["matchLabels"].as_object() else {
                continue;
            };
            if kind(object) == "PodDisruptionBudget" {
                continue;
            }
            let labels = &object.data["spec"]["template"]["metadata"]["labels"];
            assert!(selector.iter().all(|(label, value)| &labels[label] == value));
            assert!(!selector.is_empty());
            assert!(selectors.insert(format!("{selector:?}")), "{selector:?} twice");
        }
        assert!(!selectors.is_empty(), "each choice has a workload");
    }
}

#[test]
fn objects_are_unique_and_labelled() {
    for choice in all() {
        let mut names = BTreeSet::new();
        for object in &choice.objects {
            let labels = object.metadata.labels.as_ref().unwrap();
            assert_eq!(labels["app.kubernetes.io/part-of"], "sgx-quote-helper");
            assert_eq!(labels["app.kubernetes.io/managed-by"], "quote-helper");
            let DynamicObject { metadata, .. } = object;
            let name = (kind(object), metadata.namespace.clone(), metadata.name.clone());
            assert!(names.insert(name.clone()), "{name:?} twice");
        }
    }
}

#[test]
fn a_namespace_of_kubernetes_is_not_created() {
    for (namespace, made) in [
        ("sgx-quote-helper", true),
        ("confidential", true),
        ("kube-system", false),
        ("default", false),
    ] {
        let add_on = AddOn { namespace: namespace.to_owned(), ..everything(Platform::Software) };
        let objects = objects(&add_on);
        assert_eq!(objects.iter().any(|object| kind(object) == "Namespace"), made, "{namespace}");
        let namespaces: BTreeSet<_> =
            objects.iter().filter_map(|object| object.metadata.namespace.as_deref()).collect();
        // The samples' namespace is told what verifiers need, once.
        assert_eq!(namespaces, BTreeSet::from([namespace, "default"]));
        let told = objects.iter().filter(|object| is(object, "ConfigMap", "sgx-verification"));
        assert_eq!(told.count(), namespaces.len(), "{namespace}");
    }
}
