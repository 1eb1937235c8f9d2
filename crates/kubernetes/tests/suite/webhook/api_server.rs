//! An API server that knows one Secret and one `MutatingWebhookConfiguration`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Path, State};
use axum::http::header::DATE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use k8s_openapi::ByteString;
use kube::Client;
use kubernetes::webhook::Clock;
use parking_lot::Mutex;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::net::TcpListener;

pub(crate) const NAMESPACE: &str = "kube-system";
pub(crate) const SECRET: &str = "certificates";
pub(crate) const CONFIGURATION: &str = "sgx-webhook";

#[derive(Clone)]
pub(crate) struct ApiServer {
    address: SocketAddr,
    state: Arc<Mutex<ApiState>>,
}

struct ApiState {
    secret: Option<Value>,
    version: u64,
    configuration: Option<Value>,
    requests: usize,
    is_forbidden: bool,
    clock: Clock,
}

impl ApiServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let webhooks = ["one.sgx.intel.com", "two.sgx.intel.com"].map(|name| {
            json!({
                "name": name,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "clientConfig": { "service": { "name": "sgx-webhook", "namespace": NAMESPACE } },
            })
        });
        let configuration = json!({ "metadata": { "name": CONFIGURATION }, "webhooks": webhooks });
        let state = ApiState {
            secret: None,
            version: 0,
            configuration: Some(configuration),
            requests: 0,
            is_forbidden: false,
            clock: SystemTime::now,
        };
        let server = Self { address, state: Arc::new(Mutex::new(state)) };
        let secrets = format!("/api/v1/namespaces/{NAMESPACE}/secrets");
        let configurations =
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{name}";
        let router = Router::new()
            .route(&secrets, post(create_secret))
            .route(&format!("{secrets}/{SECRET}"), get(get_secret).put(replace_secret))
            .route(configurations, get(get_configuration).patch(patch_configuration))
            .layer(map_response_with_state(server.clone(), dated))
            .with_state(server.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn client(&self) -> Client {
        let url = format!("http://{}", self.address).parse().unwrap();
        Client::try_from(kube::Config::new(url)).unwrap()
    }

    /// The content of the Secret.
    pub(crate) fn secret(&self, key: &str) -> Option<String> {
        let secret = self.state.lock().secret.clone()?;
        let bytes: ByteString = serde_json::from_value(secret["data"][key].clone()).ok()?;
        Some(String::from_utf8(bytes.0).unwrap())
    }

    /// Writes to the Secret as another client.
    pub(crate) fn set_secret(&self, key: &str, text: &str) {
        let mut state = self.state.lock();
        state.version += 1;
        let version = state.version.to_string();
        let secret = state.secret.get_or_insert_with(|| json!({ "metadata": { "name": SECRET } }));
        secret["data"][key] = json!(ByteString(text.as_bytes().to_vec()));
        secret["metadata"]["resourceVersion"] = json!(version);
    }

    /// The authorities of the webhooks in the configuration.
    pub(crate) fn bundles(&self) -> Vec<Option<String>> {
        let state = self.state.lock();
        let webhooks = state.configuration.as_ref().unwrap()["webhooks"].as_array().unwrap();
        let bundle = |webhook: &Value| {
            let bundle = webhook["clientConfig"]["caBundle"].clone();
            let bundle: ByteString = serde_json::from_value(bundle).ok()?;
            Some(String::from_utf8(bundle.0).unwrap())
        };
        webhooks.iter().map(bundle).collect()
    }

    pub(crate) fn remove_configuration(&self) -> Value {
        self.state.lock().configuration.take().unwrap()
    }

    pub(crate) fn set_configuration(&self, configuration: Value) {
        self.state.lock().configuration = Some(configuration);
    }

    /// Its time.
    pub(crate) fn set_clock(&self, clock: Clock) {
        self.state.lock().clock = clock;
    }

    pub(crate) fn forbid(&self, is_forbidden: bool) {
        self.state.lock().is_forbidden = is_forbidden;
    }

    /// The number of requests.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().requests
    }

    /// Executes the request, unless it is forbidden.
    fn answer(&self, work: impl FnOnce(&mut ApiState) -> Result<Value, u16>) -> Response {
        let mut state = self.state.lock();
        state.requests += 1;
        let result = if state.is_forbidden { Err(403) } else { work(&mut state) };
        match result {
            Ok(object) => Json(object).into_response(),
            Err(code) => {
                let reason = match code {
                    403 => "Forbidden",
                    404 => "NotFound",
                    _ => "Conflict",
                };
                let status = json!({
                    "apiVersion": "v1", "kind": "Status", "status": "Failure",
                    "message": format!("it is {reason}"), "reason": reason, "code": code,
                });
                (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
            }
        }
    }
}

impl ApiState {
    fn set(&mut self, mut secret: Value) -> Value {
        self.version += 1;
        secret["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.secret.insert(secret).clone()
    }
}

/// Each response has the time.
async fn dated(State(server): State<ApiServer>, mut response: Response) -> Response {
    let clock = server.state.lock().clock;
    let now = OffsetDateTime::from(clock()).format(&Rfc2822).unwrap();
    let date = now.replace("+0000", "GMT").parse().unwrap();
    response.headers_mut().insert(DATE, date);
    response
}

async fn get_secret(State(server): State<ApiServer>) -> Response {
    server.answer(|state| state.secret.clone().ok_or(404))
}

async fn create_secret(State(server): State<ApiServer>, Json(secret): Json<Value>) -> Response {
    assert_eq!(secret["metadata"]["name"], SECRET);
    server.answer(|state| match state.secret {
        Some(_) => Err(409),
        None => Ok(state.set(secret)),
    })
}

async fn replace_secret(State(server): State<ApiServer>, Json(secret): Json<Value>) -> Response {
    server.answer(|state| {
        let current = state.secret.as_ref().ok_or(404_u16)?;
        let version = |secret: &Value| secret["metadata"]["resourceVersion"].clone();
        assert!(version(&secret).is_string(), "it would replace whatever there is");
        if version(current) == version(&secret) { Ok(state.set(secret)) } else { Err(409) }
    })
}

async fn get_configuration(State(server): State<ApiServer>, Path(name): Path<String>) -> Response {
    assert_eq!(name, CONFIGURATION);
    server.answer(|state| state.configuration.clone().ok_or(404))
}

async fn patch_configuration(
    State(server): State<ApiServer>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> Response {
    assert_eq!(headers["content-type"], "application/strategic-merge-patch+json");
    server.answer(|state| {
        let configuration = state.configuration.as_mut().ok_or(404_u16)?;
        for patch in patch["webhooks"].as_array().unwrap() {
            let webhooks = configuration["webhooks"].as_array_mut().unwrap();
            let webhook = webhooks.iter_mut().find(|it| it["name"] == patch["name"]).unwrap();
            webhook["clientConfig"]["caBundle"] = patch["clientConfig"]["caBundle"].clone();
        }
        Ok(configuration.clone())
    })
}
