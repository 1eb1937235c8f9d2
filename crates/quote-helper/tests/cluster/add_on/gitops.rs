//! The add-on without `install`: by kubectl, as GitOps tools do.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{AddOn, image, quote_helper, quote_service_pod};
use crate::cluster::{kubectl, kubernetes_version};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn install_takes_over_objects_that_kubectl_applied() {
    let printed = quote_helper(&[
        "manifests",
        "--platform=software",
        "--enable-sgxquotehelper",
        "--image",
        &image(),
        "--kubernetes-version",
        &kubernetes_version(),
    ]);
    let _applied = AddOn;
    kubectl(&["apply", "-f=-"], &String::from_utf8(printed.stdout).unwrap());
    let pod = quote_service_pod();
    let _installed = AddOn::install_with_quote_service();
    assert_eq!(quote_service_pod()["metadata"]["name"], pod["metadata"]["name"]);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn kustomize_builds_on_deploy() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let built = kubectl(&["kustomize", deploy.to_str().unwrap()], "");
    let file = std::fs::read_to_string(deploy.join("sgx-quote-helper.yaml")).unwrap();
    assert_eq!(by_name(&built), by_name(&file));
}

/// The objects by kind and name.
fn by_name(yaml: &str) -> BTreeMap<String, Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    let name = |object: &Value| {
        let metadata = &object["metadata"];
        format!("{} {} {}", object["kind"], metadata["namespace"], metadata["name"])
    };
    objects.into_iter().map(|object| (name(&object), object)).collect()
}
