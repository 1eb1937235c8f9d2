//! Installing, changing and removing objects.

use kubernetes::installation::{
    InstallationError, ObjectOutcome, installed_add_on, installed_root,
};
use kubernetes::manifests::{AddOn, Cluster, Platform, SoftwarePlatformRoot};
use serde_json::json;

use crate::clock::pace;
use crate::installation::api_server::ApiServer;
use crate::installation::installer::{
    NAMESPACE, NO_WAIT, Observed, config_map, namespace, object, objects, secret,
};

#[tokio::test(start_paused = true)]
async fn installing_twice_changes_nothing() {
    let (api_server, installer) = Observed::start().await;
    let made = installer.install(&objects()).await.unwrap();
    let names = [
        "Namespace sgx",
        "ConfigMap sgx/settings",
        "ClusterRole sgx-plugin",
        "DaemonSet sgx/sgx-plugin",
    ];
    assert_eq!(made, names.map(|name| (name.to_owned(), ObjectOutcome::Created)));
    let again = installer.install(&objects()).await.unwrap();
    assert_eq!(again, names.map(|name| (name.to_owned(), ObjectOutcome::Unchanged)));
    assert_eq!(api_server.names().len(), 5, "the claim is gone: {:?}", api_server.names());
}

#[tokio::test(start_paused = true)]
async fn an_installation_changes_and_prunes_objects() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let mut elsewhere = config_map("verification", "1");
    elsewhere["metadata"]["namespace"] = json!("default");
    api_server.put("configmaps", elsewhere);
    let mut others = config_map("others", "1");
    others["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("helm");
    api_server.put("configmaps", others);
    let desired = [object(namespace()), object(config_map("settings", "2"))];
    let done = installer.install(&desired).await.unwrap();
    let expected = [
        ("Namespace sgx", ObjectOutcome::Unchanged),
        ("ConfigMap sgx/settings", ObjectOutcome::Changed),
        ("ClusterRole sgx-plugin", ObjectOutcome::Removed),
        ("ConfigMap default/verification", ObjectOutcome::Removed),
        ("DaemonSet sgx/sgx-plugin", ObjectOutcome::Removed),
    ];
    assert_eq!(done, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
    assert!(api_server.get("configmaps", "others").is_some(), "it has another manager");
}

#[tokio::test(start_paused = true)]
async fn an_existing_namespace_is_used_unchanged() {
    let (api_server, installer) = Observed::start().await;
    api_server.put("namespaces", json!({ "metadata": { "name": NAMESPACE, "labels": {} } }));
    let done = installer.install(&objects()).await.unwrap();
    assert_eq!(done[0], ("Namespace sgx".to_owned(), ObjectOutcome::Unmanaged));
    assert!(!api_server.writes().contains(&"PATCH namespaces/sgx".to_owned()));
    installer.uninstall().await.unwrap();
    assert_eq!(api_server.names(), ["namespaces sgx"]);
}

#[tokio::test(start_paused = true)]
async fn a_terminating_object_is_recreated_once_gone() {
    let (api_server, installer) = Observed::start().await;
    let mut going = config_map("settings", "1");
    going["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    api_server.put("configmaps", going);
    let later = api_server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        later.delete("configmaps", "settings");
    });
    let done = installer.install(&objects()).await.unwrap();
    assert_eq!(done[1], ("ConfigMap sgx/settings".to_owned(), ObjectOutcome::Created));
    assert_eq!(installer.progress()[0], "waiting until gone: ConfigMap sgx/settings");
}

#[tokio::test(start_paused = true)]
async fn a_root_is_generated_once() {
    let (api_server, installer) = Observed::start().await;
    let with_root = |value| [namespace(), secret("sgx-software-platform", value)].map(object);
    installer.install(&with_root("b25l")).await.unwrap();
    let error = installer.install(&with_root("b3RoZXI=")).await.unwrap_err();
    assert!(matches!(error, InstallationError::RootConflict(_)), "{error}");
    installer.install(&objects()).await.unwrap();
    let root = api_server.get("secrets", "sgx-software-platform").unwrap();
    assert_eq!(root["data"]["key"], "b25l", "it outlives the quote service");
    let mut other = namespace();
    other["metadata"]["name"] = json!("other");
    let mut settings = config_map("settings", "1");
    settings["metadata"]["namespace"] = json!("other");
    let elsewhere = [other, settings].map(object);
    installer.install(&elsewhere).await.unwrap();
    assert!(api_server.get("namespaces", NAMESPACE).is_some(), "the root is in it");
}

#[tokio::test(start_paused = true)]
async fn settings_and_root_are_found_in_any_namespace() {
    let (api_server, installer) = Observed::start().await;
    let address = api_server.address();
    assert!(installed_add_on(&address).await.unwrap().is_none());
    assert!(installed_root(&address).await.unwrap().is_none());
    let add_on = AddOn {
        namespace: "elsewhere".to_owned(),
        quote_service: true,
        platform: Platform::Software,
        ..AddOn::default()
    };
    let root = SoftwarePlatformRoot { deployment: "{}".to_owned(), certificate: "PEM".to_owned() };
    let cluster = Cluster { software_platform_root: Some(root), ..Cluster::default() };
    let objects = add_on.objects(&cluster).unwrap();
    installer.installer.install(&objects, NO_WAIT, std::future::pending()).await.unwrap();
    assert_eq!(installed_add_on(&address).await.unwrap(), Some(add_on));
    let root = installed_root(&address).await.unwrap().unwrap();
    assert_eq!((root.deployment.as_str(), root.certificate.as_str()), ("{}", "PEM"));
}

#[tokio::test(start_paused = true)]
async fn damaged_settings_and_roots_are_reported_and_kept() {
    pace();
    let api_server = ApiServer::start().await;
    let address = api_server.address();
    api_server.put("configmaps", config_map("sgx-quote-helper-settings", "no settings"));
    let error = installed_add_on(&address).await.unwrap_err().to_string();
    assert!(error.contains("ConfigMap sgx/sgx-quote-helper-settings"), "{error}");
    api_server.put("secrets", secret("sgx-software-platform", "AA=="));
    let error = installed_root(&address).await.unwrap_err().to_string();
    assert!(error.contains("Secret sgx/sgx-software-platform"), "{error}");
}
