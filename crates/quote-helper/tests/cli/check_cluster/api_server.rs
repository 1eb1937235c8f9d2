//! An API server that gives each path the reply of a function.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

/// The reply to a request.
pub(crate) enum Reply {
    /// A status and a body.
    Body(u16, String),
    /// The connection stays open, and nothing comes.
    Never,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::Body(200, body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::Body(status, body.to_owned())
    }

    /// A failure as API servers tell it.
    pub(crate) fn status(code: u16, reason: &str) -> Self {
        let body = json!({
            "apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "no", "reason": reason,
            "code": code,
        });
        Self::Body(code, body.to_string())
    }
}

/// Serves until the test ends.
pub(crate) struct ApiServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ApiServer {
    /// `reply` gets the path with its query.
    pub(crate) fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (reply, asked) = (Arc::new(reply), Arc::new(Mutex::new(Vec::new())));
        let server = Self { address, asked: Arc::clone(&asked) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (reply, asked) = (Arc::clone(&reply), Arc::clone(&asked));
                std::thread::spawn(move || answer(stream.unwrap(), &*reply, &asked));
            }
        });
        server
    }

    /// Nobody listens there.
    pub(crate) fn nowhere() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, asked: Arc::default() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    pub(crate) fn kubeconfig(&self) -> String {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{ "name": "c", "cluster": { "server": self.url() } }],
            "users": [{ "name": "u", "user": {} }],
            "contexts": [{ "name": "x", "context": { "cluster": "c", "user": "u" } }],
        });
        kubeconfig.to_string()
    }
}

/// Answers one request, and closes.
fn answer(mut stream: TcpStream, reply: &dyn Fn(&str) -> Reply, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(request)) = lines.next() else { return };
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    // The headers.
    lines.find(|line| line.as_ref().is_ok_and(String::is_empty) || line.is_err());
    asked.lock().push(path.clone());
    match reply(&path) {
        Reply::Never => std::thread::sleep(std::time::Duration::from_secs(60)),
        Reply::Body(status, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // A client that has seen enough is no matter.
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    }
}
