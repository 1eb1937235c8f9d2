//! A fake API server with the status of one node, which its kubelet updates.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::patch;
use axum::{Json, Router};
use kubernetes::device_plugin::NodeStatus;
use parking_lot::Mutex;
use serde_json::{Value, json};
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
    assert_eq!(headers["content-type"], "application/merge-patch+json");
    let behaviour = status.lock().behaviour;
    match behaviour {
        Behaviour::Accepts => (StatusCode::OK, Json(status.lock().merge(patch))),
        Behaviour::Refuses => (StatusCode::FORBIDDEN, Json(forbidden())),
        Behaviour::Hangs => pending().await,
    }
}

impl Status {
    /// Merges as in RFC 7396, and returns the node.
    fn merge(&mut self, patch: Value) -> Value {
        merge(&mut self.capacity, &patch["status"]["capacity"]);
        merge(&mut self.allocatable, &patch["status"]["allocatable"]);
        self.patches.push(patch);
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": { "name": node::NAME },
            "status": { "capacity": self.capacity, "allocatable": self.allocatable },
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
