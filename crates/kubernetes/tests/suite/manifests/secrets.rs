//! The places of secrets.

use kubernetes::manifests::{AddOn, Cluster, ClusterPccs, KubernetesVersion, Platform};
use serde_json::Value;

use crate::manifests::choices::{DEPLOYMENT, cluster, everything, objects};
use crate::manifests::{find, kind};

#[test]
fn only_a_secret_holds_the_software_platforms_root() {
    let objects = objects(&everything(Platform::Software));
    let base64 =
        find(&objects, "Secret", "sgx-software-platform")["data"]["deployment.json"].take();
    assert_eq!(base64, "eyJzZWVkIjoiNWVjN2U3In0=");
    for object in objects.iter().filter(|object| kind(object) != "Secret") {
        let text = serde_json::to_string(object).unwrap();
        assert!(!text.contains("5ec7e7") && !text.contains("NWVjN2U3"), "{text}");
    }
    assert!(!format!("{:?}", cluster("1.33")).contains("5ec7e7"), "{DEPLOYMENT}");
}

#[test]
fn real_platforms_and_nodes_without_a_service_have_no_such_secret() {
    let off = AddOn { quote_service: false, ..everything(Platform::Software) };
    for add_on in [everything(Platform::Dcap), off] {
        let names = objects(&add_on).into_iter().filter_map(|object| object.metadata.name);
        assert!(!names.into_iter().any(|name| name == "sgx-software-platform"));
    }
}

#[test]
fn an_existing_root_is_kept() {
    let cluster = Cluster { version: KubernetesVersion::default(), ..Cluster::default() };
    let objects = everything(Platform::Software).objects(&cluster).unwrap();
    assert!(!objects.iter().any(|object| crate::manifests::is(
        object,
        "Secret",
        "sgx-software-platform"
    )));
}

#[test]
fn settings_are_kept_whole() {
    for platform in [Platform::Dcap, Platform::Software] {
        let add_on = everything(platform);
        let settings = find(&objects(&add_on), "ConfigMap", "sgx-quote-helper-settings");
        let kept = settings["data"]["settings.json"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<AddOn>(kept).unwrap(), add_on);
        let mut unknown: Value = serde_json::from_str(kept).unwrap();
        unknown["from_the_future"] = Value::Bool(true);
        assert!(serde_json::from_value::<AddOn>(unknown).is_err());
    }
}

#[test]
fn settings_of_older_versions_get_defaults() {
    let kept = r#"{ "namespace": "confidential", "quote_service": true }"#;
    let add_on =
        AddOn { namespace: "confidential".to_owned(), quote_service: true, ..AddOn::default() };
    assert_eq!(serde_json::from_str::<AddOn>(kept).unwrap(), add_on);
}

#[test]
fn verifiers_find_url_and_root() {
    let pccs = Some(ClusterPccs::default());
    let named = "https://pccs.example:8081/";
    let own = "http://sgx-pccs.sgx-quote-helper.svc:8081";
    let software = "http://sgx-collateral.sgx-quote-helper.svc:17492";
    for (platform, cluster_pccs, url, root) in [
        (Platform::Dcap, None, named, None),
        (Platform::Dcap, pccs.clone(), named, None),
        (Platform::Software, None, software, Some("the root")),
        (Platform::Software, pccs, own, Some("the root")),
    ] {
        let objects = objects(&AddOn { cluster_pccs, ..everything(platform) });
        let told = objects
            .iter()
            .filter(|object| crate::manifests::is(object, "ConfigMap", "sgx-verification"));
        let told: Vec<_> = told.collect();
        let namespaces: Vec<_> =
            told.iter().map(|object| object.metadata.namespace.as_deref().unwrap()).collect();
        assert_eq!(namespaces, ["sgx-quote-helper", "default"]);
        for object in told {
            assert_eq!(object.data["data"]["pccs-url"], url);
            assert_eq!(object.data["data"]["trusted-root.pem"].as_str(), root);
        }
    }
}

#[test]
fn the_quote_provider_uses_the_pccs() {
    let provider = |add_on| find(&objects(add_on), "ConfigMap", "sgx-quote-provider");
    let files = provider(&everything(Platform::Dcap))["data"].take();
    let configuration: Value =
        serde_json::from_str(files["sgx_default_qcnl.conf"].as_str().unwrap()).unwrap();
    assert_eq!(configuration["pccs_url"], "https://pccs.example:8081/sgx/certification/v4/");
    assert_eq!(configuration["use_secure_cert"], true);
    assert_eq!(files["pccs-authority.pem"], "-----BEGIN CERTIFICATE-----\n");

    let service = find(&objects(&everything(Platform::Dcap)), "DaemonSet", "sgx-quote-helper");
    let service = &service["spec"]["template"]["spec"]["containers"][0];
    let mounts = service["volumeMounts"].as_array().unwrap();
    for (file, path) in [
        ("sgx_default_qcnl.conf", "/etc/sgx_default_qcnl.conf"),
        ("pccs-authority.pem", "/etc/ssl/certs/ca-certificates.crt"),
    ] {
        let is_there = |mount: &Value| mount["subPath"] == file && mount["mountPath"] == path;
        assert!(mounts.iter().any(is_there), "{file} at {path}: {mounts:?}");
    }
}

#[test]
fn the_quote_service_is_replaced_when_its_configuration_changes() {
    let annotations = |add_on: &AddOn, root: &str| {
        let mut cluster = cluster("1.33");
        cluster.software_platform_root.as_mut().unwrap().certificate = root.to_owned();
        let objects = add_on.objects(&cluster).unwrap();
        let service = find(&objects, "DaemonSet", "sgx-quote-helper");
        service["spec"]["template"]["metadata"]["annotations"].to_string()
    };
    for platform in [Platform::Dcap, Platform::Software] {
        let add_on = everything(platform);
        let before = annotations(&add_on, "root");
        assert_eq!(annotations(&add_on, "root"), before);
        assert_ne!(annotations(&add_on, "another root"), before);
    }
    let add_on = everything(Platform::Dcap);
    let mut moved = add_on.clone();
    moved.pccs.as_mut().unwrap().url = "https://other.example".to_owned();
    assert_ne!(annotations(&add_on, "root"), annotations(&moved, "root"));
}
