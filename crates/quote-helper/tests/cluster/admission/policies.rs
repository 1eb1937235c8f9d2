//! The policies of several settings side by side, each for a namespace of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use kubernetes::device_plugin::EpcAccounting;
use kubernetes::injection::Settings;
use kubernetes::manifests::admission_policies;
use serde_json::{Value, json};

use crate::cluster::{eventually, kubectl, try_kubectl};

/// Installed policies, which are removed when this is dropped, and their namespaces.
pub(crate) struct Policies {
    objects: Value,
    /// The end of all names: a namespace of the same name may still be terminating.
    suffix: String,
}

impl Policies {
    /// Installs the policies of these settings, and waits until the API server applies them.
    #[track_caller]
    pub(crate) fn install(settings: &[&str]) -> Self {
        static INSTALLATIONS: AtomicU32 = AtomicU32::new(0);
        let number = INSTALLATIONS.fetch_add(1, Ordering::Relaxed);
        let suffix = format!("{}-{number}", std::process::id());
        let mut policies = Self { objects: Value::Null, suffix };
        let objects = settings.iter().flat_map(|settings| policies.of(settings));
        let objects = objects.chain([namespace(&policies.untouched())]).collect();
        policies.objects =
            json!({ "apiVersion": "v1", "kind": "List", "items": Value::Array(objects) });
        kubectl(&["create", "-f=-"], &policies.objects.to_string());
        for settings in settings {
            let namespace = policies.namespace(settings);
            eventually("the policies are in force", || in_force(&namespace).then_some(()));
        }
        policies
    }

    /// The namespace with these settings, and the name of their policies.
    pub(crate) fn namespace(&self, settings: &str) -> String {
        format!("injection-{}-{}", settings.replace('_', "-"), self.suffix)
    }

    /// A namespace without injection.
    pub(crate) fn untouched(&self) -> String {
        self.namespace("off")
    }

    /// The objects of these settings, limited to a namespace.
    fn of(&self, settings: &str) -> Vec<Value> {
        let name = self.namespace(settings);
        let policies = admission_policies(&self::settings(settings), "add-on").unwrap();
        let policies = policies.iter().map(|object| {
            let mut object = serde_json::to_value(object).unwrap();
            object["metadata"] = json!({ "name": name });
            match object["spec"].get("policyName") {
                Some(_) => object["spec"]["policyName"] = json!(name),
                None => {
                    object["spec"]["matchConstraints"]["namespaceSelector"] =
                        json!({ "matchLabels": { "injection-test": name } });
                }
            }
            object
        });
        policies.chain([namespace(&name)]).collect()
    }
}

impl Drop for Policies {
    fn drop(&mut self) {
        let deleted = try_kubectl(&["delete", "--wait=false", "-f=-"], &self.objects.to_string());
        assert!(deleted.status.success() || std::thread::panicking(), "{deleted:?}");
    }
}

/// True if pods get both what they lack and warnings there.
fn in_force(namespace: &str) -> bool {
    let limits = json!({ (crate::INTEL_EPC): "1" });
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "probe" },
        "spec": {
            "containers": [{ "name": "probe", "image": "x", "resources": { "limits": limits } }],
        },
    });
    let create = ["create", "--dry-run=server", "-o=json", "-f=-", "-n", namespace];
    let output = try_kubectl(&create, &pod.to_string());
    let has = |stream: &[u8], text| String::from_utf8_lossy(stream).contains(text);
    has(&output.stdout, crate::ENCLAVE) && has(&output.stderr, "Warning")
}

fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": name, "labels": { "injection-test": name } },
    })
}

/// The settings of the cases in this directory, as in the tests of injection.
pub(super) fn settings(directory: &str) -> Settings {
    let settings = Settings {
        aesm_dir: "/var/run/aesmd".into(),
        socket_by_device_plugin: false,
        epc_accounting: EpcAccounting::Devices,
        has_quote_service: true,
        add_on_uids: 61100..=61102,
    };
    match directory {
        "devices" => settings,
        "given_by_device_plugin" => Settings { socket_by_device_plugin: true, ..settings },
        "node_status" => Settings { epc_accounting: EpcAccounting::NodeStatus, ..settings },
        "no_quote_service" => Settings { has_quote_service: false, ..settings },
        "other_directory" => Settings { aesm_dir: "/opt/sgx/aesm".into(), ..settings },
        other => panic!("no settings are named {other}"),
    }
}
