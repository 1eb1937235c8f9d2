//! The installer and its objects.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use kube::core::DynamicObject;
use kubernetes::installation::{
    AppliedObject, ChangeOptions, InstallationError, Installer, ObjectOutcome,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::clock::pace;
use crate::installation::api_server::ApiServer;

pub(crate) const NAMESPACE: &str = "sgx";
/// The default of the command line.
pub(crate) const WAIT: ChangeOptions = ChangeOptions { wait: true, rollback: true };
pub(crate) const NO_WAIT: ChangeOptions = ChangeOptions { wait: false, rollback: true };

/// An installer that records its progress.
pub(crate) struct Observed {
    pub(crate) installer: Installer,
    progress: Arc<Mutex<Vec<String>>>,
}

impl Observed {
    /// An installer with its own API server.
    pub(crate) async fn start() -> (ApiServer, Self) {
        pace();
        let api_server = ApiServer::start().await;
        let installer = Self::new(&api_server);
        (api_server, installer)
    }

    pub(crate) fn new(api_server: &ApiServer) -> Self {
        Self::named(api_server, "alice@here (process 1)")
    }

    pub(crate) fn named(api_server: &ApiServer, holder: &str) -> Self {
        let progress = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&progress);
        let installer = Installer {
            api_server: api_server.address(),
            holder: holder.to_owned(),
            timeout: Duration::from_secs(60),
            progress: Box::new(move |line| kept.lock().push(line.to_owned())),
        };
        Self { installer, progress }
    }

    pub(crate) async fn install(
        &self,
        objects: &[DynamicObject],
    ) -> Result<Vec<(String, ObjectOutcome)>, InstallationError> {
        self.installer.install(objects, WAIT, pending()).await.map(named)
    }

    /// Returns to this revision, or to the one before.
    pub(crate) async fn roll_back(
        &self,
        number: Option<u32>,
    ) -> Result<Vec<(String, ObjectOutcome)>, InstallationError> {
        let target = self.installer.rollback_target(number).await?;
        self.installer.rollback(&target, true, pending()).await.map(named)
    }

    pub(crate) async fn uninstall(
        &self,
    ) -> Result<Vec<(String, ObjectOutcome)>, InstallationError> {
        self.installer.uninstall(pending()).await.map(named)
    }

    pub(crate) fn progress(&self) -> Vec<String> {
        self.progress.lock().clone()
    }
}

fn named(done: Vec<AppliedObject>) -> Vec<(String, ObjectOutcome)> {
    done.into_iter().map(|done| (done.object.to_string(), done.outcome)).collect()
}

/// A small add-on with objects of several kinds.
pub(crate) fn objects() -> Vec<DynamicObject> {
    [namespace(), config_map("settings", "1"), role(), daemon_set()].map(object).into()
}

pub(crate) fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn namespace() -> Value {
    let metadata = json!({ "name": NAMESPACE, "labels": labels() });
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })
}

pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name),
        "data": { "key": value },
    })
}

pub(crate) fn secret(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata(name), "data": { "key": value },
    })
}

pub(crate) fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": "sgx-plugin", "labels": labels() },
        "rules": [{ "apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"] }],
    })
}

pub(crate) fn daemon_set() -> Value {
    daemon_set_of("plugin:1")
}

/// A DaemonSet with this image.
pub(crate) fn daemon_set_of(image: &str) -> Value {
    let template = json!({ "spec": { "containers": [{ "name": "plugin", "image": image }] } });
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata("sgx-plugin"),
        "spec": { "selector": { "matchLabels": { "app": "sgx-plugin" } }, "template": template },
    })
}

/// The cause of a change that failed.
pub(crate) fn cause(error: InstallationError) -> InstallationError {
    match error {
        InstallationError::ChangeFailed { cause, .. } => *cause,
        other => other,
    }
}

pub(crate) fn metadata(name: &str) -> Value {
    json!({ "name": name, "namespace": NAMESPACE, "labels": labels() })
}

pub(crate) fn labels() -> Value {
    json!({
        "app.kubernetes.io/part-of": "sgx-quote-helper",
        "app.kubernetes.io/managed-by": "quote-helper",
    })
}
