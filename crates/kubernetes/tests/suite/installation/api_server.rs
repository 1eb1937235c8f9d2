//! A fake API server with a store and injected faults.

use std::collections::BTreeSet;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use kube::Config;
use kubernetes::api_server::ApiServer as Address;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::installation::request::Request;
use crate::installation::store::{Store, merge};

/// The image whose pods do not become ready.
pub(crate) const BROKEN_IMAGE: &str = "broken:1";

#[derive(Clone)]
pub(crate) struct ApiServer {
    address: SocketAddr,
    state: Arc<Mutex<ApiState>>,
}

#[derive(Default)]
struct ApiState {
    store: Store,
    requests: Vec<Request>,
    faults: Vec<(&'static str, Fault)>,
    forbidden: Vec<&'static str>,
    /// Denies what is not asked for by a name of its own, such as `* *` or `escalate`.
    is_strict: bool,
    /// The permissions that were asked for: verb, group, resource and name.
    reviewed: BTreeSet<[String; 4]>,
    /// Pods do not start or end by themselves.
    is_slow: bool,
    /// There is no Prometheus operator.
    lacks_pod_monitors: bool,
}

/// A fault in place of a response.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// An error with this code.
    Refusal(u16),
    /// No response.
    Silence,
    /// Another body, with code 200.
    Text(&'static str),
}

impl ApiServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(Mutex::new(ApiState::default()));
        let server = Self { address: listener.local_addr().unwrap(), state };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> Address {
        // Without retries and their pauses.
        let mut config = Config::new(self.url().parse().unwrap());
        config.default_retry = false;
        Address::new(config).unwrap()
    }

    /// Injects a fault into requests whose line has this prefix; see [`Request::line`].
    pub(crate) fn fail(&self, line: &'static str, fault: Fault) {
        self.state.lock().faults.push((line, fault));
    }

    pub(crate) fn recover(&self) {
        self.state.lock().faults.clear();
    }

    /// Removes these permissions, such as `create daemonsets`.
    pub(crate) fn forbid(&self, permissions: &[&'static str]) {
        self.state.lock().forbidden = permissions.to_vec();
    }

    /// The permissions of somebody who has each of them, but not all.
    pub(crate) fn is_strict(&self) {
        self.state.lock().is_strict = true;
    }

    /// The permissions that were asked for: verb, group, resource and name.
    pub(crate) fn reviewed(&self) -> BTreeSet<[String; 4]> {
        self.state.lock().reviewed.clone()
    }

    /// Removes the kind PodMonitor.
    pub(crate) fn lacks_pod_monitors(&self) {
        self.state.lock().lacks_pod_monitors = true;
    }

    pub(crate) fn is_slow(&self, is_slow: bool) {
        self.state.lock().is_slow = is_slow;
    }

    pub(crate) fn put(&self, resource: &str, object: Value) {
        self.state.lock().store.put(resource, object);
    }

    pub(crate) fn get(&self, resource: &str, name: &str) -> Option<Value> {
        let uri = format!("/api/v1/{resource}/{name}").parse().unwrap();
        self.state.lock().store.get(&Request::new("GET", &uri))
    }

    pub(crate) fn delete(&self, resource: &str, name: &str) {
        let uri = format!("/api/v1/{resource}/{name}").parse().unwrap();
        self.state.lock().store.delete(&Request::new("DELETE", &uri));
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state.lock().store.names()
    }

    /// The modifying requests, except those for the Lease.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.state.lock().requests.clone();
        let writes = requests.iter().filter(|it| it.is_write() && it.resource != "leases");
        writes.map(Request::line).collect()
    }
}

async fn answer(
    State(server): State<ApiServer>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let request = Request::new(method.as_str(), &uri);
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let fault = {
        let mut state = server.state.lock();
        state.requests.push(request.clone());
        let line = request.line();
        state.faults.iter().find(|(start, _)| line.starts_with(start)).map(|(_, fault)| *fault)
    };
    match fault {
        Some(Fault::Refusal(code)) => refusal(code, &request),
        Some(Fault::Silence) => pending().await,
        Some(Fault::Text(text)) => text.into_response(),
        None => {
            let answer = server.state.lock().answer(&request, body);
            match answer {
                Ok(object) => Json(object).into_response(),
                Err(code) => refusal(code, &request),
            }
        }
    }
}

fn refusal(code: u16, request: &Request) -> Response {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        422 => "Invalid",
        _ => "InternalError",
    };
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason,
        "message": format!("no {} for you", request.line()),
    });
    (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
}

impl ApiState {
    fn answer(&mut self, request: &Request, body: Value) -> Result<Value, u16> {
        match (request.method.as_str(), request.resource.as_str()) {
            ("POST", "selfsubjectaccessreviews") => Ok(self.review(body)),
            ("POST", resource) => {
                let mut named = request.clone();
                named.name = body["metadata"]["name"].as_str().map(str::to_owned);
                match self.store.get(&named) {
                    Some(_) => Err(409),
                    None => Ok(self.store.put(resource, in_namespace(body, request))),
                }
            }
            ("PUT", resource) => {
                let live = self.store.get(request).ok_or(404_u16)?;
                let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
                assert!(version(&body).is_string(), "it would replace whatever there is");
                match version(&live) == version(&body) {
                    true => Ok(self.store.put(resource, body)),
                    false => Err(409),
                }
            }
            ("PATCH", "nodes") => {
                let mut node = self.store.get(request).ok_or(404_u16)?;
                let mut body = body;
                let status = body["status"].as_object_mut();
                let deleted = status.and_then(|it| it.remove("conditions")).unwrap_or_default();
                merge(&mut node, &body);
                for condition in deleted.as_array().into_iter().flatten() {
                    assert_eq!(condition["$patch"], "delete");
                    let conditions = node["status"]["conditions"].as_array_mut().unwrap();
                    conditions.retain(|it| it["type"] != condition["type"]);
                }
                Ok(self.store.put("nodes", node))
            }
            (_, "podmonitors") if self.lacks_pod_monitors => Err(404),
            ("GET", "") => Ok(self.kinds()),
            ("PATCH", _) if self.lacks_namespace(request) => Err(404),
            ("PATCH", _) => Ok(self.apply(request, &body)),
            ("DELETE", resource) => {
                let mut live = self.store.get(request).ok_or(404_u16)?;
                if self.is_slow && resource != "leases" {
                    live["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
                    self.store.put(resource, live);
                } else {
                    self.store.delete(request);
                }
                Ok(json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" }))
            }
            _ if request.name.is_some() => self.store.get(request).ok_or(404),
            _ => Ok(self.store.list(request)),
        }
    }

    fn apply(&mut self, request: &Request, body: &Value) -> Value {
        assert_eq!(request.query["fieldManager"], "quote-helper");
        assert_eq!(request.query["force"], "true");
        let mut body = body.clone();
        if !self.is_slow && request.resource == "daemonsets" {
            body["status"] = ready(1);
            let container = &body["spec"]["template"]["spec"]["containers"][0];
            if container["image"] == BROKEN_IMAGE {
                body["status"]["updatedNumberScheduled"] = json!(0);
            }
        }
        self.store.apply(request, &body)
    }

    /// The kinds of a group: all that a test asks for.
    fn kinds(&self) -> Value {
        let monitors = json!({
            "name": "podmonitors", "singularName": "podmonitor", "namespaced": true,
            "kind": "PodMonitor", "verbs": ["get"],
        });
        let kinds = if self.lacks_pod_monitors { json!([]) } else { json!([monitors]) };
        json!({
            "apiVersion": "v1", "kind": "APIResourceList",
            "groupVersion": "monitoring.coreos.com/v1", "resources": kinds,
        })
    }

    fn lacks_namespace(&self, request: &Request) -> bool {
        let Some(namespace) = &request.namespace else { return false };
        let uri = format!("/api/v1/namespaces/{namespace}").parse().unwrap();
        namespace != "default" && self.store.get(&Request::new("GET", &uri)).is_none()
    }

    fn review(&mut self, mut review: Value) -> Value {
        let asked = &review["spec"]["resourceAttributes"];
        let field = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
        if self.is_strict {
            let is_wide = ["*", "escalate", "bind"].contains(&field("verb").as_str());
            if !is_wide {
                let resource = match field("subresource").as_str() {
                    "" => field("resource"),
                    subresource => format!("{}/{subresource}", field("resource")),
                };
                self.reviewed.insert([field("verb"), field("group"), resource, field("name")]);
            }
            review["status"] = json!({ "allowed": !is_wide });
            return review;
        }
        let permission =
            format!("{} {}", asked["verb"].as_str().unwrap(), asked["resource"].as_str().unwrap());
        let is_forbidden = |it: &&str| {
            permission == **it || permission == "* *" || permission.starts_with("escalate")
        };
        let allowed = !self.forbidden.iter().any(is_forbidden);
        review["status"] = json!({ "allowed": allowed });
        review
    }
}

fn in_namespace(mut object: Value, request: &Request) -> Value {
    if let Some(namespace) = &request.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// The status of a DaemonSet with this many pods, all ready.
pub(crate) fn ready(pods: i32) -> Value {
    json!({
        "observedGeneration": 1, "desiredNumberScheduled": pods, "currentNumberScheduled": pods,
        "numberMisscheduled": 0, "updatedNumberScheduled": pods, "numberReady": pods,
        "numberAvailable": pods,
    })
}
