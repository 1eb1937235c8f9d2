//! The pods: the cases of the tests of injection, and combinations.

use std::fs;
use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use kubernetes::injection::inject;
use serde_json::{Value, json};

use super::policies;

/// The names of the settings, each a directory of cases.
pub(crate) const SETTINGS: [&str; 5] =
    ["devices", "given_by_device_plugin", "node_status", "no_quote_service", "other_directory"];

/// A pod and the settings of its cluster.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) pod: Value,
    settings: &'static str,
}

impl Case {
    /// All cases with these settings.
    pub(crate) fn of(settings: &'static str) -> Vec<Self> {
        let written = written(settings).into_iter();
        let cases = written.chain(combined()).map(|(name, mut pod)| {
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            pod["metadata"]["name"] = json!(name);
            // Its volume would have a random name.
            if pod["spec"].is_object() {
                pod["spec"]["automountServiceAccountToken"] = json!(false);
            }
            complete(&mut pod);
            Self { name, pod, settings }
        });
        cases.collect()
    }

    /// The pod after injection by the program.
    pub(crate) fn injected(&self) -> Value {
        // A pod that the API server cannot parse either.
        let Ok(pod) = serde_json::from_value::<Pod>(self.pod.clone()) else {
            return self.pod.clone();
        };
        serde_json::to_value(inject(pod, &policies::settings(self.settings)).pod).unwrap()
    }
}

/// The cases of the tests of injection.
fn written(settings: &str) -> Vec<(String, Value)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../kubernetes/tests/suite/injection/cases");
    let files = fs::read_dir(Path::new(root).join(settings)).unwrap().map(|it| it.unwrap().path());
    let inputs = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let cases = inputs.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().replace('_', "-");
        (name, serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    });
    cases.collect()
}

/// Each way to request EPC with each way to use quotes.
fn combined() -> Vec<(String, Value)> {
    let names = [crate::EPC, crate::INTEL_EPC, "alibabacloud.com/sgx_epc_MiB"];
    let with =
        |name: &str, epc: &str| json!({ "name": name, "resources": { "limits": { epc: 7 } } });
    let plain = |name: &str| json!({ "name": name });
    let shapes = |epc: &str| {
        let mut sidecar = with("sidecar", epc);
        sidecar["restartPolicy"] = json!("Always");
        let init = [with("first", epc), sidecar, with("last", epc)];
        [
            json!({ "containers": [with("app", epc), plain("beside")] }),
            json!({ "containers": [plain("app")], "initContainers": [with("init", epc)] }),
            json!({ "containers": [with("app", epc)], "initContainers": init }),
            json!({ "containers": [with("app", epc), with("aesmd", epc)] }),
        ]
    };
    let metadata = [
        json!({}),
        json!({ "annotations": { "sgx.intel.com/quote-provider": "aesmd" } }),
        json!({ "annotations": { "sgx.intel.com/quote-provider": "app" } }),
        json!({ "labels": { "sgx-quote-helper/inject": "true", "a": "b" } }),
    ];
    let pods = names.iter().flat_map(|epc| shapes(epc)).flat_map(|spec| {
        let metadata = metadata.iter();
        metadata.map(move |metadata| json!({ "metadata": metadata, "spec": spec }))
    });
    pods.enumerate().map(|(number, pod)| (format!("combined-{number}"), pod)).collect()
}

/// Adds images, which the API server wants, and makes values of variables strings.
fn complete(pod: &mut Value) {
    for list in ["containers", "initContainers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            if container["image"].is_null() {
                container["image"] = json!("x");
            }
            for variable in container["env"].as_array_mut().into_iter().flatten() {
                if let Some(number) = variable["value"].as_i64() {
                    variable["value"] = json!(number.to_string());
                }
            }
        }
        if pod["spec"][list].is_null() && pod["spec"].is_object() {
            pod["spec"].as_object_mut().unwrap().remove(list);
        }
    }
}
