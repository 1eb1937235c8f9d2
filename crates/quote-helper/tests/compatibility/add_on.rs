//! Installations of earlier releases: `upgrade` reads their settings, and each object keeps its
//! name and the fields that cannot change or that others depend on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kubernetes::manifests::{AddOn, Cluster, SETTINGS, SETTINGS_KEY, SoftwarePlatformRoot};
use serde_json::Value;
use test_support::release::{record, releases};

use crate::support::Machine;

/// Installations: name, version of Kubernetes, options.
const INSTALLATIONS: [(&str, &str, &str); 5] = [
    ("device-plugin", "1.37", ""),
    ("quote-service", "1.36", "--enable-sgxquotehelper"),
    ("webhook", "1.35", "--enable-sgxquotehelper --injection webhook --epc-accounting devices"),
    ("software-platform", "1.37", "--enable-sgxquotehelper --platform software --enable-pccs"),
    (
        "all-settings",
        "1.37",
        "--enable-sgxquotehelper --namespace sgx --image registry.example/quote-helper:1 \
         --image-pull-secret registry --resource-profile azure=1GiB,intel --injection webhook \
         --priority-class high --node-selector sgx=yes --toleration sgx=yes:NoSchedule \
         --first-uid 70000 --host-pid false --device-groups 100 --enable-pccs --pccs-mode req \
         --pccs-source pcs --pccs-storage 1Gi --pccs-secret tokens=api-key \
         --pccs-url https://pccs.example:8081",
    ),
];

/// Fields that the API server does not let change, or that select pods.
const KEPT: [(&str, &[&str]); 10] = [
    ("ClusterRoleBinding", &["/roleRef"]),
    ("ConfigMap", &["/immutable"]),
    ("DaemonSet", &["/spec/selector"]),
    ("Deployment", &["/spec/selector"]),
    ("NetworkPolicy", &["/spec/podSelector"]),
    ("PersistentVolumeClaim", &["/spec"]),
    ("PodDisruptionBudget", &["/spec/selector"]),
    ("RoleBinding", &["/roleRef"]),
    ("Secret", &["/type", "/immutable"]),
    ("Service", &["/spec/selector", "/spec/clusterIP", "/spec/ports"]),
];

#[test]
fn installations_of_earlier_releases_can_be_upgraded() {
    if let Some(directory) = record() {
        fs::create_dir_all(directory.join("add-on")).unwrap();
        for (name, version, options) in INSTALLATIONS {
            let line = format!("manifests --kubernetes-version {version} --output json {options}");
            let printed = Machine::new().succeed(&line).stdout;
            fs::write(directory.join("add-on").join(format!("{name}-{version}.json")), printed)
                .unwrap();
        }
        return;
    }
    for release in releases() {
        for file in fs::read_dir(release.join("add-on")).unwrap() {
            can_be_upgraded(&file.unwrap().path());
        }
    }
}

fn can_be_upgraded(file: &Path) {
    let list: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let before = list["items"].as_array().unwrap();
    let add_on = settings(before).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let version = file.file_stem().unwrap().to_str().unwrap().rsplit_once('-').unwrap().1;
    let cluster = Cluster {
        version: version.parse().unwrap(),
        software_platform_root: root(before),
        ..Cluster::default()
    };
    let after = serde_json::to_value(add_on.objects(&cluster).unwrap()).unwrap();
    let after = after.as_array().unwrap();
    for object in before {
        let name = name(object);
        let now = after.iter().find(|other| self::name(other) == name);
        let now = now.unwrap_or_else(|| panic!("{}: {name} is missing", file.display()));
        assert_eq!(kept(object), kept(now), "{}: {name}", file.display());
        let [lost, present] = [parts(object), parts(now)];
        let lost: Vec<_> = lost.difference(&present).collect();
        assert!(lost.is_empty(), "{}: {name} lacks {lost:#?}", file.display());
    }
}

/// The settings that `upgrade` reads.
fn settings(objects: &[Value]) -> serde_json::Result<AddOn> {
    let object = objects.iter().find(|object| object["metadata"]["name"] == SETTINGS).unwrap();
    serde_json::from_str(object["data"][SETTINGS_KEY].as_str().unwrap())
}

/// The root of the software platform, which an upgrade must not replace.
fn root(objects: &[Value]) -> Option<SoftwarePlatformRoot> {
    let secret = objects.iter().find(|object| {
        object["kind"] == "Secret" && object["metadata"]["name"] == "sgx-software-platform"
    })?;
    let secret = serde_json::from_value(secret.clone()).unwrap();
    Some(SoftwarePlatformRoot::of_secret(&secret).unwrap())
}

fn name(object: &Value) -> String {
    let [namespace, name] =
        ["namespace", "name"].map(|field| object["metadata"][field].as_str().unwrap_or_default());
    format!("{} {namespace}/{name}", object["kind"].as_str().unwrap())
}

fn kept(object: &Value) -> Vec<Option<&Value>> {
    let kind = KEPT.iter().find(|(kind, _)| object["kind"] == *kind);
    let fields = kind.into_iter().flat_map(|(_, fields)| *fields);
    fields.map(|field| object.pointer(field)).collect()
}

/// Parts of which more may come: labels, containers, directories of nodes, keys of data.
fn parts(object: &Value) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        let labels = object.pointer(labels).and_then(Value::as_object).into_iter().flatten();
        parts.extend(labels.map(|(name, value)| format!("label {name}={value}")));
    }
    let keys = object["data"].as_object().into_iter().flatten();
    parts.extend(keys.map(|(key, _)| format!("data {key}")));
    let pod = &object["spec"]["template"]["spec"];
    for container in pod["containers"].as_array().into_iter().flatten() {
        parts.insert(format!("container {}", container["name"]));
        let ports = container["ports"].as_array().into_iter().flatten();
        parts.extend(ports.map(|port| format!("port {} {}", port["name"], port["containerPort"])));
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        let path = &volume["hostPath"]["path"];
        parts.extend(path.as_str().map(|path| format!("directory {path}")));
    }
    parts
}

/// The release before refuses settings that it does not know, so that a new one appears only where
/// it has been chosen.
#[test]
fn default_settings_are_read_by_earlier_releases() {
    if record().is_some() {
        return;
    }
    let settings = serde_json::to_value(AddOn::default()).unwrap();
    for release in releases() {
        let file = release.join("add-on/device-plugin-1.37.json");
        let list: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let objects = list["items"].as_array().unwrap();
        let recorded = objects.iter().find(|object| object["metadata"]["name"] == SETTINGS);
        let recorded = recorded.unwrap()["data"][SETTINGS_KEY].as_str().unwrap();
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        for setting in settings.as_object().unwrap().keys() {
            assert!(recorded.get(setting).is_some(), "{setting} is unknown to {}", file.display());
        }
    }
}
