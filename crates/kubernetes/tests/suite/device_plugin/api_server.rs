//! A fake API server with the status of one node, which its kubelet updates.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{patch, post};
use axum::{Json, Router};
use kubernetes::device_plugin::NodeStatus;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::device_plugin::node;

#[derive(Clone)]
pub(crate) struct ApiServer {
    address: SocketAddr,
    status: Arc<Mutex<Status>>,
}

#[derive(Default)]
struct Status {
    behaviour: Behaviour,
    patches: Vec<Value>,
    capacity: BTreeMap<String, String>,
    /// The allocatable quantity: the capacity, once the kubelet has processed it.
    allocatable: BTreeMap<String, String>,
    is_kubelet_away: bool,
    labels: BTreeMap<String, String>,
    /// The labels that the plugin has set.
    own_labels: BTreeSet<String>,
    conditions: Vec<Value>,
    events: Vec<Value>,
}

/// The response of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Behaviour {
    #[default]
    Accepts,
    Refuses,
    /// No response.
    Hangs,
}

impl ApiServer {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let status = Arc::new(Mutex::new(Status { behaviour, ..Status::default() }));
        let server = Self { address: listener.local_addr().unwrap(), status };
        let router = Router::new()
            .route("/api/v1/nodes/{name}/status", patch(patch_status))
            .route("/api/v1/namespaces/default/events", post(create_event))
            .with_state(Arc::clone(&server.status));
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    /// The plugin's access to the node's status.
    pub(crate) fn node_status(&self) -> NodeStatus {
        let url = format!("http://{}", self.address).parse().unwrap();
        let client = kube::Client::try_from(kube::Config::new(url)).unwrap();
        NodeStatus::new(client, node::NAME.to_owned())
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.status.lock().behaviour = behaviour;
    }

    /// The bodies of the accepted patches, in order.
    pub(crate) fn patches(&self) -> Vec<Value> {
        self.status.lock().patches.clone()
    }

    /// Sets the node's quantity of a resource as another manager.
    pub(crate) fn set(&self, resource: &str, quantity: &str) {
        self.status.lock().capacity.insert(resource.to_owned(), quantity.to_owned());
    }

    /// Sets the node's label as another manager.
    pub(crate) fn set_label(&self, label: &str, value: &str) {
        self.status.lock().labels.insert(label.to_owned(), value.to_owned());
    }

    /// The node's label.
    pub(crate) fn label(&self, label: &str) -> Option<String> {
        self.status.lock().labels.get(label).cloned()
    }

    /// Sets a condition as another program.
    pub(crate) fn set_condition(&self, condition: &Value) {
        self.status.lock().merge_condition(condition);
    }

    /// The node's condition of this type; null if it has none.
    pub(crate) fn condition(&self, kind: &str) -> Value {
        let status = self.status.lock();
        let found = status.conditions.iter().find(|condition| condition["type"] == kind);
        found.cloned().unwrap_or_default()
    }

    /// The reasons of the Events about the node.
    pub(crate) fn events(&self) -> Vec<String> {
        let status = self.status.lock();
        let reason = |event: &Value| event["reason"].as_str().unwrap().to_owned();
        status.events.iter().map(reason).collect()
    }

    /// Makes the kubelet stop or resume processing the status.
    pub(crate) fn kubelet_is_away(&self, is_away: bool) {
        self.status.lock().is_kubelet_away = is_away;
    }

    /// The allocatable quantity of a resource.
    pub(crate) fn allocatable(&self, resource: &str) -> Option<String> {
        self.status.lock().allocatable.get(resource).cloned()
    }

    /// Zeroes all resources, like a kubelet that starts without its state.
    pub(crate) fn zero(&self) {
        let mut status = self.status.lock();
        let Status { capacity, allocatable, .. } = &mut *status;
        capacity.values_mut().chain(allocatable.values_mut()).for_each(|it| "0".clone_into(it));
    }

    /// The node's quantity of a resource.
    pub(crate) fn capacity(&self, resource: &str) -> Option<String> {
        self.status.lock().capacity.get(resource).cloned()
    }
}

async fn patch_status(
    State(status): State<Arc<Mutex<Status>>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> (StatusCode, Json<Value>) {
    assert_eq!(name, node::NAME);
    let is_merge = headers["content-type"] == "application/merge-patch+json";
    let is_strategic = headers["content-type"] == "application/strategic-merge-patch+json";
    assert!(is_merge && patch["status"]["conditions"].is_null() || is_strategic, "{patch}");
    let behaviour = status.lock().behaviour;
    match behaviour {
        Behaviour::Accepts => (StatusCode::OK, Json(status.lock().merge(patch))),
        Behaviour::Refuses => (StatusCode::FORBIDDEN, Json(forbidden())),
        Behaviour::Hangs => pending().await,
    }
}

async fn create_event(
    State(status): State<Arc<Mutex<Status>>>,
    Json(event): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let about = &event["involvedObject"];
    assert_eq!((&about["kind"], &about["name"]), (&json!("Node"), &json!(node::NAME)));
    assert_eq!(event["metadata"]["namespace"], "default");
    status.lock().events.push(event.clone());
    (StatusCode::CREATED, Json(event))
}

impl Status {
    /// As the merge key `type` says.
    fn merge_condition(&mut self, condition: &Value) {
        self.conditions.retain(|before| before["type"] != condition["type"]);
        if condition["$patch"] != "delete" {
            self.conditions.push(condition.clone());
        }
    }

    /// Merges as in RFC 7396, and returns the node.
    fn merge(&mut self, patch: Value) -> Value {
        merge(&mut self.capacity, &patch["status"]["capacity"]);
        merge(&mut self.allocatable, &patch["status"]["allocatable"]);
        for condition in patch["status"]["conditions"].as_array().into_iter().flatten() {
            self.merge_condition(condition);
        }
        for (label, value) in patch["metadata"]["labels"].as_object().into_iter().flatten() {
            match value.as_str() {
                Some(value) => {
                    self.labels.insert(label.clone(), value.to_owned());
                    self.own_labels.insert(label.clone());
                }
                None => drop(self.labels.remove(label)),
            }
        }
        // A patch that changes nothing reads the node.
        if patch != json!({}) {
            self.patches.push(patch);
        }
        let own: Map<_, _> =
            self.own_labels.iter().map(|label| (format!("f:{label}"), json!({}))).collect();
        let fields = json!({ "f:metadata": { "f:labels": own } });
        let manager = json!({ "manager": "quote-helper-device-plugin", "fieldsV1": fields });
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": node::NAME,
                "labels": self.labels,
                "managedFields": [manager],
            },
            "status": {
                "capacity": self.capacity,
                "allocatable": self.allocatable,
                "conditions": self.conditions,
            },
        });
        if !self.is_kubelet_away {
            self.allocatable = self.capacity.clone();
        }
        node
    }
}

fn merge(quantities: &mut BTreeMap<String, String>, patch: &Value) {
    for (resource, quantity) in patch.as_object().into_iter().flatten() {
        match quantity.as_str() {
            Some(quantity) => quantities.insert(resource.clone(), quantity.to_owned()),
            None => quantities.remove(resource),
        };
    }
}

fn forbidden() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": "nodes \"node-1\" is forbidden: cannot patch resource \"nodes/status\"",
        "reason": "Forbidden",
        "code": 403,
    })
}
