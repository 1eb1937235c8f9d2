//! An API server that keeps the webhook's Secret and configuration.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

/// Serves until the test ends.
pub(crate) struct ApiServer {
    address: SocketAddr,
    objects: Arc<Mutex<Objects>>,
}

struct Objects {
    secret: Option<Value>,
    configuration: Value,
}

impl ApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let configuration = json!({
            "metadata": { "name": "sgx-webhook" },
            "webhooks": [{
                "name": "one.example", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {},
            }],
        });
        let objects = Arc::new(Mutex::new(Objects { secret: None, configuration }));
        let server = Self { address, objects: Arc::clone(&objects) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &objects);
            }
        });
        server
    }

    /// Whom the webhook tells the API server to trust, in PEM.
    pub(crate) fn bundle(&self) -> Option<Vec<u8>> {
        let objects = self.objects.lock();
        let bundle = objects.configuration["webhooks"][0]["clientConfig"].get("caBundle")?;
        let bundle: k8s_openapi::ByteString = serde_json::from_value(bundle.clone()).unwrap();
        Some(bundle.0)
    }

    pub(crate) fn kubeconfig(&self) -> String {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{ "name": "c", "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "u", "user": {} }],
            "contexts": [{ "name": "x", "context": { "cluster": "c", "user": "u" } }],
        });
        kubeconfig.to_string()
    }
}

/// Answers one request, and closes.
fn answer(mut stream: TcpStream, objects: &Mutex<Objects>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (method, path) = line.split_once(' ').unwrap();
    let mut length = 0;
    let mut header = String::new();
    while reader.read_line(&mut header).unwrap() > 2 {
        if let Some(text) = header.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        header.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, object) = objects.lock().reply(method, path, body);
    let object = object.to_string();
    let head = format!("Content-Length: {}\r\nConnection: close", object.len());
    write!(stream, "HTTP/1.1 {status} X\r\n{head}\r\n\r\n{object}").unwrap();
}

impl Objects {
    fn reply(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let not_found = json!({
            "kind": "Status", "status": "Failure", "message": "no", "reason": "NotFound", "code": 404,
        });
        match (method, path.contains("/secrets")) {
            ("GET", true) => self.secret.clone().map_or((404, not_found), |secret| (200, secret)),
            (_, true) => (200, self.secret.insert(body).clone()),
            ("PATCH", false) => {
                let config = body["webhooks"][0]["clientConfig"].clone();
                self.configuration["webhooks"][0]["clientConfig"] = config;
                (200, self.configuration.clone())
            }
            _ => (200, self.configuration.clone()),
        }
    }
}
