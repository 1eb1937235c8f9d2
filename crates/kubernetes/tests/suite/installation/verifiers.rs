//! Verifiers in all namespaces get the current root.

use kube::core::DynamicObject;
use kubernetes::installation::{serves_trust_bundles, verifier_namespaces};
use kubernetes::manifests::{AddOn, Cluster, Platform, SoftwarePlatformRoot};
use serde_json::{Value, json};

use crate::installation::api_server::{ApiServer, Fault};
use crate::installation::installer::{NO_WAIT, Observed};

/// The objects of an installation with this root, whose other objects do not matter here.
fn objects(root: &str) -> Vec<DynamicObject> {
    let add_on = AddOn { quote_service: true, platform: Platform::Software, ..AddOn::default() };
    let root =
        SoftwarePlatformRoot { deployment: format!("{{{root}}}"), certificate: root.to_owned() };
    let cluster = Cluster {
        software_platform_root: Some(root),
        serves_trust_bundles: Some(true),
        verifier_namespaces: vec!["shop".to_owned()],
        ..Cluster::default()
    };
    add_on.objects(&cluster).unwrap()
}

/// The roots in the ConfigMaps and in the ClusterTrustBundle.
fn roots(api_server: &ApiServer) -> Vec<Value> {
    let config_map = |namespace| {
        let path = format!("namespaces/{namespace}/configmaps");
        let found = api_server.get(&path, "sgx-verification").unwrap();
        found["data"]["trusted-root.pem"].clone()
    };
    let bundle = api_server.get("clustertrustbundles", "sgx-software-platform-insecure").unwrap();
    let mut roots: Vec<_> = ["sgx-quote-helper", "default", "shop"].map(config_map).into();
    roots.push(bundle["spec"]["trustBundle"].clone());
    roots
}

#[tokio::test(start_paused = true)]
async fn a_rotated_root_reaches_all_verifiers() {
    let (api_server, installer) = Observed::start().await;
    api_server.put("namespaces", json!({ "metadata": { "name": "shop" } }));
    let install = |objects: Vec<DynamicObject>| {
        let installer = &installer.installer;
        async move { installer.install(&objects, NO_WAIT, std::future::pending()).await.unwrap() }
    };
    install(objects("old")).await;
    assert_eq!(roots(&api_server), ["old"; 4]);
    api_server.delete("secrets", "sgx-software-platform");
    install(objects("new")).await;
    assert_eq!(roots(&api_server), ["new"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_without_the_label_loses_its_copy() {
    let (api_server, installer) = Observed::start().await;
    api_server.put("namespaces", json!({ "metadata": { "name": "shop" } }));
    let installer = &installer.installer;
    let all = objects("root");
    installer.install(&all, NO_WAIT, std::future::pending()).await.unwrap();
    let is_in_shop = |it: &&DynamicObject| it.metadata.namespace.as_deref() == Some("shop");
    let fewer: Vec<_> = all.iter().filter(|it| !is_in_shop(it)).cloned().collect();
    installer.install(&fewer, NO_WAIT, std::future::pending()).await.unwrap();
    let left = api_server.names();
    let left = left.iter().filter(|it| it.ends_with("/sgx-verification")).count();
    assert_eq!(left, 2);
    installer.uninstall(std::future::pending()).await.unwrap();
    let left = api_server.names();
    let is_of_verifiers =
        |it: &&String| it.contains("sgx-verification") || it.contains("trustbundle");
    assert_eq!(left.iter().filter(is_of_verifiers).count(), 0, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn only_labelled_namespaces_that_stay_are_found() {
    crate::clock::pace();
    let api_server = ApiServer::start().await;
    let going = json!("2030-01-01T00:00:00Z");
    for (name, label, deleted) in
        [("shop", "true", Value::Null), ("off", "false", Value::Null), ("going", "true", going)]
    {
        let labels = json!({ "sgx-quote-helper/verification": label });
        let metadata = json!({ "name": name, "labels": labels, "deletionTimestamp": deleted });
        api_server.put("namespaces", json!({ "metadata": metadata }));
    }
    let found = verifier_namespaces(&api_server.address()).await.unwrap();
    assert_eq!(found, ["shop"]);
}

#[tokio::test(start_paused = true)]
async fn the_kinds_of_the_api_server_decide_on_the_trust_bundle() {
    const LISTED: &str = r#"{ "kind": "APIResourceList", "groupVersion": "certificates.k8s.io/v1",
        "resources": [{ "name": "clustertrustbundles", "singularName": "clustertrustbundle",
                        "namespaced": false, "kind": "ClusterTrustBundle", "verbs": ["list"] }] }"#;
    crate::clock::pace();
    for (fault, expected) in [(Fault::Refusal(404), false), (Fault::Text(LISTED), true)] {
        let api_server = ApiServer::start().await;
        api_server.fail("GET ", fault);
        let serves = serves_trust_bundles(&api_server.address()).await.unwrap();
        assert_eq!(serves, expected, "{fault:?}");
    }
}
