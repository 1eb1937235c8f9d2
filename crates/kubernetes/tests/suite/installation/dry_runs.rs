//! The cluster's admission sees all objects before any change.

use kubernetes::installation::InstallationError;
use serde_json::json;

use crate::installation::api_server::Fault;
use crate::installation::installer::{Observed, config_map, namespace, object, objects, role};

#[tokio::test(start_paused = true)]
async fn all_rejected_objects_are_listed_and_nothing_is_changed() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let (names, writes) = (api_server.names(), api_server.writes());
    api_server.fail("DRY-RUN clusterroles", Fault::Refusal(422));
    api_server.fail("DRY-RUN daemonsets", Fault::Refusal(403));
    let desired = [&objects()[..], &[object(config_map("added", "1"))]].concat();
    let error = installer.install(&desired).await.unwrap_err();
    let said = error.to_string();
    let InstallationError::Denied(denials) = error else { panic!("{said}") };
    let denied: Vec<_> = denials.iter().map(|denial| denial.object.to_string()).collect();
    assert_eq!(denied, ["ClusterRole sgx-plugin", "DaemonSet sgx/sgx-plugin"]);
    assert!(said.contains("rejects 2 objects; nothing was changed:\n"), "{said}");
    assert!(said.contains("\n  DaemonSet sgx/sgx-plugin: no DRY-RUN daemonsets"), "{said}");
    assert_eq!((api_server.names(), api_server.writes()), (names, writes));
}

#[tokio::test(start_paused = true)]
async fn a_new_namespace_is_removed_again_if_an_object_in_it_is_rejected() {
    let (api_server, installer) = Observed::start().await;
    api_server.fail("DRY-RUN daemonsets", Fault::Refusal(403));
    let error = installer.install(&objects()).await.unwrap_err();
    assert!(matches!(error, InstallationError::Denied(_)), "{error}");
    assert_eq!(api_server.writes(), ["PATCH namespaces/sgx", "DELETE namespaces/sgx"]);
    assert!(api_server.names().is_empty(), "{:?}", api_server.names());
}

#[tokio::test(start_paused = true)]
async fn no_namespace_is_created_if_an_object_outside_of_it_is_rejected() {
    let (api_server, installer) = Observed::start().await;
    api_server.fail("DRY-RUN clusterroles", Fault::Refusal(403));
    let error = installer.install(&objects()).await.unwrap_err();
    assert!(matches!(error, InstallationError::Denied(_)), "{error}");
    assert!(api_server.writes().is_empty(), "{:?}", api_server.writes());
}

/// The API server looks for the role when it checks a binding.
#[tokio::test(start_paused = true)]
async fn a_binding_whose_role_is_new_is_no_rejection() {
    let (api_server, installer) = Observed::start().await;
    api_server.fail("DRY-RUN clusterrolebindings", Fault::Refusal(404));
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "sgx-plugin" }, "subjects": [],
    });
    installer.install(&[namespace(), role(), binding].map(object)).await.unwrap();
    assert!(api_server.get("clusterrolebindings", "sgx-plugin").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_failing_api_server_is_no_rejection() {
    let (api_server, installer) = Observed::start().await;
    for fault in [Fault::Silence, Fault::Refusal(401)] {
        api_server.recover();
        api_server.fail("DRY-RUN clusterroles", fault);
        let error = installer.install(&objects()).await.unwrap_err();
        assert!(matches!(error, InstallationError::Api { .. }), "{error}");
        assert!(api_server.writes().is_empty(), "{:?}", api_server.writes());
    }
}
