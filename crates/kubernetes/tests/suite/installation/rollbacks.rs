//! Changes that fail, and the return to earlier revisions.

use std::future::pending;
use std::time::Duration;

use kube::core::DynamicObject;
use kubernetes::installation::{
    ChangeOptions, Consequence, InstallationError, ObjectOutcome, RevisionStatus,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::installation::api_server::{ApiServer, BROKEN_IMAGE, Fault};
use crate::installation::installer::{
    Observed, config_map, daemon_set_of, namespace, object, objects, role, secret,
};

/// An add-on with another setting, this image, and an additional object.
fn next(image: &str) -> Vec<DynamicObject> {
    let objects = [
        namespace(),
        config_map("settings", "2"),
        config_map("added", "1"),
        role(),
        daemon_set_of(image),
    ];
    objects.map(object).into()
}

/// The setting and the image in the cluster.
fn state(api_server: &ApiServer) -> (Value, Value) {
    let settings = api_server.get("configmaps", "settings").unwrap();
    let plugin = api_server.get("daemonsets", "sgx-plugin").unwrap();
    let image = &plugin["spec"]["template"]["spec"]["containers"][0]["image"];
    (settings["data"]["key"].clone(), image.clone())
}

/// The recorded revisions with their status.
fn revisions(api_server: &ApiServer) -> Vec<(u64, String)> {
    let recorded = api_server.get("configmaps", "sgx-quote-helper-revisions").unwrap();
    let list: Value =
        serde_json::from_str(recorded["data"]["revisions.json"].as_str().unwrap()).unwrap();
    let each = list.as_array().unwrap().iter();
    each.map(|it| (it["number"].as_u64().unwrap(), it["status"].as_str().unwrap().to_owned()))
        .collect()
}

fn with_status(statuses: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(statuses.iter().map(|status| (*status).to_owned())).collect()
}

#[track_caller]
fn consequence(error: InstallationError) -> Consequence {
    let said = error.to_string();
    match error {
        InstallationError::ChangeFailed { consequence, .. } => consequence,
        _ => panic!("{said}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_previous_revision_is_restored_if_pods_do_not_become_ready() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let error = installer.install(&next(BROKEN_IMAGE)).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("not ready within 60 seconds:"), "{said}");
    assert!(said.contains("the cluster has revision 1 (plugin:1, deployed, of "), "{said}");
    let Consequence::RolledBack(revision) = consequence(error) else { panic!("{said}") };
    assert_eq!((revision.number, revision.status), (1, RevisionStatus::Deployed));
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
    assert!(api_server.get("configmaps", "added").is_none());
    assert_eq!(revisions(&api_server), with_status(&["deployed", "rolled-back"]));
    let progress = installer.progress();
    let said = "not ready within 60 seconds; rolling back to revision 1";
    assert!(progress.iter().any(|line| line.starts_with(said)), "{progress:?}");
}

#[tokio::test(start_paused = true)]
async fn the_previous_revision_is_restored_if_an_object_cannot_be_applied() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    api_server.fail("PATCH configmaps/added", Fault::Refusal(500));
    let error = installer.install(&next("plugin:2")).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("ConfigMap sgx/added cannot be applied"), "{said}");
    assert!(matches!(consequence(error), Consequence::RolledBack(_)), "{said}");
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_is_reported_and_can_be_repeated() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    api_server.fail("PATCH daemonsets", Fault::Refusal(500));
    let error = installer.install(&next("plugin:2")).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`quote-helper rollback` tries again"), "{said}");
    assert!(matches!(consequence(error), Consequence::RollbackFailed { .. }), "{said}");
    assert_eq!(revisions(&api_server), with_status(&["deployed", "failed"]));
    api_server.recover();
    installer.roll_back(None).await.unwrap();
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
    assert!(api_server.get("configmaps", "added").is_none());
    assert_eq!(revisions(&api_server), with_status(&["superseded", "failed", "deployed"]));
}

#[tokio::test(start_paused = true)]
async fn a_failed_change_is_kept_on_request() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    let options = ChangeOptions { wait: true, rollback: false };
    let changed = installer.installer.install(&next(BROKEN_IMAGE), options, pending()).await;
    let error = changed.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`quote-helper rollback` returns to revision 1"), "{said}");
    assert!(matches!(consequence(error), Consequence::Kept(_)), "{said}");
    assert_eq!(state(&api_server), (json!("2"), json!(BROKEN_IMAGE)));
    installer.roll_back(None).await.unwrap();
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
}

#[tokio::test(start_paused = true)]
async fn a_first_installation_that_fails_is_kept() {
    let (api_server, installer) = Observed::start().await;
    let error = installer.install(&next(BROKEN_IMAGE)).await.unwrap_err();
    assert!(matches!(consequence(error), Consequence::FirstInstallation));
    assert_eq!(state(&api_server), (json!("2"), json!(BROKEN_IMAGE)));
    let error = installer.roll_back(None).await.unwrap_err();
    assert!(matches!(error, InstallationError::NoRevision { .. }), "{error}");
    installer.install(&next("plugin:2")).await.unwrap();
    assert_eq!(revisions(&api_server), with_status(&["failed", "deployed"]));
}

#[tokio::test(start_paused = true)]
async fn rollbacks_return_to_the_revision_before_or_to_the_given_one() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    installer.install(&next("plugin:2")).await.unwrap();
    let done = installer.roll_back(None).await.unwrap();
    assert!(done.contains(&("ConfigMap sgx/added".to_owned(), ObjectOutcome::Removed)), "{done:?}");
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
    installer.roll_back(None).await.unwrap();
    assert_eq!(state(&api_server), (json!("2"), json!("plugin:2")));
    installer.roll_back(Some(1)).await.unwrap();
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
    let error = installer.roll_back(Some(9)).await.unwrap_err().to_string();
    assert!(error.contains("there is no revision 9; recorded are:\n  revision 1 ("), "{error}");
    for _ in 0..5 {
        installer.roll_back(None).await.unwrap();
    }
    assert_eq!(revisions(&api_server).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_change_is_found_and_finished() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    // As if it was killed, on an API server that hangs.
    api_server.fail("PATCH clusterroles", Fault::Silence);
    let other = Observed::new(&api_server);
    let killed = tokio::spawn(async move { other.install(&next("plugin:2")).await });
    while api_server.get("configmaps", "added").is_none() {
        sleep(Duration::from_millis(50)).await;
    }
    killed.abort();
    api_server.recover();
    assert_eq!(revisions(&api_server), with_status(&["deployed", "pending"]));
    // It has expired, by the clock of the machine.
    api_server.delete("leases", "sgx-quote-helper-install");
    installer.install(&next("plugin:3")).await.unwrap();
    assert_eq!(state(&api_server), (json!("2"), json!("plugin:3")));
    let progress = installer.progress();
    let said = "found an unfinished change: revision 2 (plugin:2, pending, of ";
    let found = progress.iter().find(|line| line.starts_with(said)).expect("it is said");
    assert!(found.ends_with(" has 4 of 5 objects in place; going on"), "{found}");
    assert_eq!(revisions(&api_server), with_status(&["superseded", "failed", "deployed"]));
}

#[tokio::test(start_paused = true)]
async fn applying_the_same_objects_records_nothing() {
    let (api_server, installer) = Observed::start().await;
    installer.install(&objects()).await.unwrap();
    installer.install(&objects()).await.unwrap();
    assert_eq!(revisions(&api_server), with_status(&["deployed"]));
}

#[tokio::test(start_paused = true)]
async fn secrets_are_neither_recorded_nor_touched_by_a_rollback() {
    let (api_server, installer) = Observed::start().await;
    let with_root = |value: &str| {
        let root = secret("sgx-software-platform", "c2VjcmV0");
        let settings = config_map("settings", value);
        [namespace(), settings, root, daemon_set_of("plugin:1")].map(object)
    };
    installer.install(&with_root("1")).await.unwrap();
    let mut with_another = Vec::from(with_root("2"));
    with_another.push(object(secret("another", "YW5vdGhlcg==")));
    installer.install(&with_another).await.unwrap();
    let target = installer.installer.rollback_target(None).await.unwrap();
    let recorded = serde_json::to_string(&target.objects).unwrap();
    assert!(!recorded.contains("Secret") && recorded.contains("settings"), "{recorded}");
    installer.roll_back(None).await.unwrap();
    for (name, value) in [("sgx-software-platform", "c2VjcmV0"), ("another", "YW5vdGhlcg==")] {
        assert_eq!(api_server.get("secrets", name).unwrap()["data"]["key"], value);
    }
    assert_eq!(state(&api_server).0, "1");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_fits_the_root_and_the_namespaces_of_today() {
    let (api_server, installer) = Observed::start().await;
    let verification = |namespace: &str| {
        let mut verification = config_map("sgx-verification", "1");
        verification["metadata"]["namespace"] = json!(namespace);
        verification["data"] = json!({ "trusted-root.pem": "old" });
        object(verification)
    };
    let labels = json!({ "metadata": { "name": "labelled" } });
    api_server.put("namespaces", labels);
    let mut first = objects();
    first.extend([verification("sgx"), verification("labelled")]);
    installer.install(&first).await.unwrap();
    installer.install(&next("plugin:2")).await.unwrap();
    api_server.delete("namespaces", "labelled");
    let mut root = secret("sgx-software-platform", "");
    // "{}" and "new".
    root["data"] = json!({ "deployment.json": "e30=", "root.pem": "bmV3" });
    api_server.put("secrets", root);
    installer.roll_back(None).await.unwrap();
    let restored = api_server.get("configmaps", "sgx-verification").unwrap();
    assert_eq!(restored["metadata"]["namespace"], "sgx");
    assert_eq!(restored["data"]["trusted-root.pem"], "new");
}

/// Earlier versions recorded nothing, but the API server knows what they applied.
#[tokio::test(start_paused = true)]
async fn objects_of_an_earlier_version_are_restored() {
    let (api_server, installer) = Observed::start().await;
    for (resource, object, fields) in [
        ("namespaces", namespace(), json!({ "f:metadata": { "f:labels": {} } })),
        ("configmaps", config_map("settings", "1"), settings_fields()),
        (
            "daemonsets",
            daemon_set_of("plugin:1"),
            json!({ "f:metadata": { "f:labels": {} }, "f:spec": {} }),
        ),
    ] {
        api_server.put(resource, managed_by_us(object, &fields));
    }
    let error = installer.install(&next(BROKEN_IMAGE)).await.unwrap_err();
    assert!(matches!(consequence(error), Consequence::RolledBack(_)));
    assert_eq!(state(&api_server), (json!("1"), json!("plugin:1")));
    assert!(api_server.get("configmaps", "added").is_none());
    assert_eq!(revisions(&api_server), with_status(&["deployed", "rolled-back"]));
}

#[tokio::test(start_paused = true)]
async fn objects_that_others_applied_are_not_restored() {
    let (api_server, installer) = Observed::start().await;
    api_server.put("namespaces", namespace());
    api_server.put("configmaps", config_map("settings", "1"));
    let error = installer.install(&next(BROKEN_IMAGE)).await.unwrap_err();
    assert!(matches!(consequence(error), Consequence::FirstInstallation));
}

fn settings_fields() -> Value {
    json!({ "f:metadata": { "f:labels": {} }, "f:data": { "f:key": {} } })
}

/// The object with these fields applied by the installer.
fn managed_by_us(mut object: Value, fields: &Value) -> Value {
    object["metadata"]["managedFields"] = json!([{
        "manager": "quote-helper", "operation": "Apply", "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }]);
    object
}
