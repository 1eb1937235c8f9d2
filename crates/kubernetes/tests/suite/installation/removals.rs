//! A removal removes all objects of the add-on and no others.

use std::time::Duration;

use kubernetes::installation::{InstallationError, ObjectOutcome};
use kubernetes::manifests::{AddOn, Cluster, InjectionMethod};
use serde_json::{Value, json};

use crate::clock::pace;
use crate::installation::api_server::{ApiServer, Fault};
use crate::installation::installer::{
    NAMESPACE, NO_WAIT, Observed, config_map, daemon_set, metadata, objects,
};

#[tokio::test(start_paused = true)]
async fn uninstall_removes_everything_once() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let removed = installer.uninstall().await.unwrap();
    assert_eq!(removed.len(), 5, "{removed:?}");
    assert!(removed.iter().all(|(_, outcome)| *outcome == ObjectOutcome::Removed), "{removed:?}");
    let deleted: Vec<_> =
        api_server.writes().into_iter().filter(|it| it.starts_with("DELETE")).collect();
    let order = [
        "daemonsets/sgx-plugin",
        "configmaps/sgx-quote-helper-revisions",
        "configmaps/settings",
        "clusterroles/sgx-plugin",
        "namespaces/sgx",
    ];
    assert_eq!(deleted, order.map(|it| format!("DELETE {it}")));
    assert!(api_server.names().is_empty(), "{:?}", api_server.names());
    assert!(installer.uninstall().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_webhooks_configuration_is_removed_first() {
    let (api_server, installer) = Observed::start().await;
    let injection = Some(InjectionMethod::Webhook);
    let add_on = AddOn { quote_service: true, injection, ..AddOn::default() };
    let objects = add_on.objects(&Cluster::default()).unwrap();
    installer.installer.install(&objects, NO_WAIT, std::future::pending()).await.unwrap();
    // In another namespace, so that the API server lists it last.
    let mut plugin = daemon_set();
    plugin["metadata"]["namespace"] = json!("zoo");
    api_server.put("daemonsets", plugin);
    installer.uninstall().await.unwrap();
    let writes = api_server.writes();
    let deleted: Vec<_> = writes.iter().filter_map(|it| it.strip_prefix("DELETE ")).collect();
    assert_eq!(deleted[0], "mutatingwebhookconfigurations/sgx-webhook");
    let workloads = deleted.iter().filter(|it| it.starts_with("dae") || it.starts_with("dep"));
    let expected = [
        "deployments/sgx-webhook",
        "daemonsets/sgx-quote-helper",
        "daemonsets/sgx-plugin",
        "daemonsets/sgx-plugin",
    ];
    assert_eq!(workloads.copied().collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_removal_is_finished_by_the_next() {
    let (api_server, installer) = Observed::start().await;
    let mut elsewhere = config_map("verification", "1");
    elsewhere["metadata"]["namespace"] = json!("default");
    api_server.put("configmaps", elsewhere);
    for fault in ["DELETE daemonsets", "DELETE clusterroles", "DELETE namespaces"] {
        installer.install(&objects()).await.unwrap();
        api_server.fail(fault, Fault::Refusal(500));
        let error = installer.uninstall().await.unwrap_err();
        assert!(error.to_string().contains("cannot delete"), "{error}");
        assert!(!api_server.names().is_empty());
        api_server.recover();
        assert!(!installer.uninstall().await.unwrap().is_empty());
        assert!(api_server.names().is_empty(), "{fault}: {:?}", api_server.names());
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_in_use_is_kept() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let mut application = json!({ "metadata": metadata("application") });
    application["metadata"]["labels"] = json!({});
    api_server.put("pods", application);
    let done = installer.uninstall().await.unwrap();
    assert_eq!(done.last(), Some(&("Namespace sgx".to_owned(), ObjectOutcome::InUse)));
    assert_eq!(api_server.names().len(), 2, "{:?}", api_server.names());
}

#[tokio::test(start_paused = true)]
async fn pods_that_do_not_end_are_named() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    api_server.is_slow(true);
    let error = installer.uninstall().await.unwrap_err();
    let InstallationError::DeletionTimeout { timeout, left } = &error else { panic!("{error}") };
    assert_eq!(*timeout, Duration::from_secs(60));
    assert!(left.iter().any(|it| it.to_string() == "DaemonSet sgx/sgx-plugin"), "{error}");
    let said = "waiting until gone: ClusterRole sgx-plugin, ConfigMap";
    let progress = installer.progress();
    assert!(progress.iter().any(|line| line.starts_with(said)), "{progress:?}");
    assert!(
        api_server.get("namespaces", NAMESPACE).unwrap()["metadata"]["deletionTimestamp"].is_null()
    );
}

#[tokio::test(start_paused = true)]
async fn traces_on_nodes_are_removed() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.put("nodes", node("ours", "quote-helper-device-plugin"));
    api_server.put("nodes", node("theirs", "nfd-master"));
    Observed::new(&api_server).uninstall().await.unwrap();
    let capacity = |name| api_server.get("nodes", name).unwrap()["status"]["capacity"].clone();
    assert_eq!(capacity("ours"), json!({ "cpu": "2" }));
    assert_eq!(capacity("theirs"), json!({ "cpu": "2", "sgx.intel.com/epc": "1048576" }));
    let of = |name, pointer: &str| {
        api_server.get("nodes", name).unwrap().pointer(pointer).cloned().unwrap_or_default()
    };
    let conditions = |name| of(name, "/status/conditions").as_array().unwrap().len();
    assert_eq!((conditions("ours"), conditions("theirs")), (1, 1));
    let label = |name| of(name, "/metadata/labels/sgx.intel.com~1capable");
    assert_eq!((label("ours"), label("theirs")), (Value::Null, json!("true")));
    assert_eq!(api_server.writes(), ["PATCH nodes/ours", "PATCH nodes/theirs"]);
}

/// A node with EPC and a label set by this manager, and a condition.
fn node(name: &str, manager: &str) -> Value {
    let fields = json!({
        "f:metadata": { "f:labels": { "f:sgx.intel.com/capable": {} } },
        "f:status": { "f:capacity": { "f:sgx.intel.com/epc": {} } },
    });
    let conditions = json!([
        { "type": "Ready", "status": "True" }, { "type": "QuoteServiceReady", "status": "True" },
    ]);
    let entry = json!({ "manager": manager, "operation": "Update", "fieldsV1": fields });
    json!({
        "metadata": {
            "name": name, "managedFields": [entry], "labels": { "sgx.intel.com/capable": "true" },
        },
        "status": {
            "capacity": { "cpu": "2", "sgx.intel.com/epc": "1048576" }, "conditions": conditions,
        },
    })
}
