//! The Helm chart's parts of an installation, and refusals of what Helm has installed.

use kubernetes::installation::helm_hook::{apply_root, clean_up, root_of_namespace};
use kubernetes::installation::{InstallationError, installed_add_on};
use kubernetes::manifests::{AddOn, Cluster, Platform, SoftwarePlatformRoot};
use serde_json::{Value, json};

use crate::installation::api_server::ApiServer;
use crate::installation::installer::{NAMESPACE, Observed, config_map, objects, secret};

/// The settings of a release.
fn settings() -> Value {
    let mut settings = config_map("sgx-quote-helper-settings", "{}");
    settings["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
    settings["metadata"]["annotations"] = json!({ "meta.helm.sh/release-name": "quotes" });
    settings
}

#[tokio::test(start_paused = true)]
async fn release_of_helm_is_refused_and_left_alone() {
    let (api_server, installer) = Observed::start().await;
    api_server.put("configmaps", settings());
    let errors = [
        installer.install(&objects()).await.unwrap_err(),
        installer.uninstall().await.unwrap_err(),
        installer.roll_back(None).await.unwrap_err(),
        installer.installer.preview(&objects()).await.unwrap_err(),
        installed_add_on(&api_server.address()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, InstallationError::OfHelm(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("quotes in the namespace sgx"), "{text}");
        assert!(text.contains("`helm uninstall`"), "{text}");
    }
    assert_eq!(api_server.writes(), Vec::<String>::new());
}

fn root() -> SoftwarePlatformRoot {
    SoftwarePlatformRoot { deployment: "{}".to_owned(), certificate: "PEM".to_owned() }
}

async fn apply(api_server: &ApiServer) {
    let add_on = AddOn {
        namespace: NAMESPACE.to_owned(),
        quote_service: true,
        platform: Platform::Software,
        ..AddOn::default()
    };
    let cluster = Cluster {
        software_platform_root: Some(root()),
        serves_trust_bundles: Some(true),
        verifier_namespaces: vec!["verifiers".to_owned()],
        ..Cluster::default()
    };
    let objects = add_on.root_objects(&cluster).unwrap();
    apply_root(&api_server.address(), objects).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn root_is_for_helm_and_is_removed_with_its_release() {
    let (api_server, installer) = Observed::start().await;
    for namespace in [NAMESPACE, "default", "verifiers"] {
        let namespace = json!({ "kind": "Namespace", "metadata": { "name": namespace } });
        api_server.put("namespaces", namespace);
    }
    assert!(root_of_namespace(&api_server.address(), NAMESPACE).await.unwrap().is_none());
    let before = api_server.names();
    apply(&api_server).await;
    assert_eq!(api_server.names().len(), before.len() + 5, "{:?}", api_server.names());
    let found = root_of_namespace(&api_server.address(), NAMESPACE).await.unwrap().unwrap();
    assert_eq!(found.certificate, "PEM");
    assert!(installer.uninstall().await.unwrap().is_empty());

    api_server.put("configmaps", {
        let mut others = config_map("sgx-verification", "1");
        others["metadata"]["namespace"] = json!("elsewhere");
        others
    });
    clean_up(&api_server.address(), NAMESPACE).await.unwrap();
    assert_eq!(api_server.names().len(), before.len() + 1, "{:?}", api_server.names());
    clean_up(&api_server.address(), NAMESPACE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn damaged_root_is_not_replaced() {
    let (api_server, _) = Observed::start().await;
    api_server.put("secrets", secret("sgx-software-platform", "AA=="));
    let found = root_of_namespace(&api_server.address(), NAMESPACE).await;
    assert!(matches!(found, Err(InstallationError::DamagedRoot(_))));
}
