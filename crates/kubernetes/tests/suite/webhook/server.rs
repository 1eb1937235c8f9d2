//! A running webhook, and the API server's side of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use kubernetes::webhook::{self, Clock, Metrics, Options, ServiceName};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::ServiceExt;

use crate::injection::settings;
use crate::webhook::api_server::{ApiServer, CONFIGURATION, NAMESPACE, SECRET};

/// Longer than every wait of the webhook.
const PATIENCE: Duration = Duration::from_secs(150);
const HOST: &str = "sgx-webhook.kube-system.svc";

pub(crate) struct Webhook {
    pub(crate) api_server: ApiServer,
    address: SocketAddr,
    metrics: Metrics,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// A response of the webhook.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Webhook {
    pub(crate) async fn start(api_server: &ApiServer) -> Self {
        Self::start_at(api_server, SystemTime::now).await
    }

    /// Starts with this time.
    pub(crate) async fn start_at(api_server: &ApiServer, clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let options = Options {
            settings: settings("devices"),
            service: ServiceName { name: "sgx-webhook".into(), namespace: NAMESPACE.into() },
            secret: SECRET.into(),
            configuration: CONFIGURATION.into(),
            client: api_server.client(),
            clock,
            memory: 128 << 20,
        };
        let metrics = Metrics::default();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        let run = webhook::run(listener, options, metrics.clone(), shutdown);
        let running = tokio::spawn(async { run.await.unwrap() });
        let api_server = api_server.clone();
        Self { api_server, address, metrics, stop: Some(stop), running }
    }

    /// Starts with its own API server, and waits until ready.
    pub(crate) async fn start_ready() -> Self {
        let webhook = Self::start(&ApiServer::start().await).await;
        webhook.is_ready().await;
        webhook
    }

    pub(crate) async fn is_ready(&self) {
        eventually("it is ready", async || self.ask("/readyz").await.status == 200).await;
    }

    /// A response of the metrics listener.
    pub(crate) async fn ask(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.metrics.router().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE);
        Answer { status: status.as_u16(), body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A connection as the API server makes it, trusting the configuration's authorities.
    pub(crate) async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let bundle = self.api_server.bundles()[0].clone().expect("a bundle is published");
        self.connect_trusting(&bundle).await
    }

    pub(crate) async fn connect_trusting(
        &self,
        bundle: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for block in pem::parse_many(bundle).unwrap() {
            roots.add(CertificateDer::from(block.into_contents())).unwrap();
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = self.connect_plainly().await;
        TlsConnector::from(Arc::new(config)).connect(HOST.try_into().unwrap(), stream).await
    }

    pub(crate) async fn connect_plainly(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Posts a body.
    pub(crate) async fn post(&self, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST /mutate", "application/json", body).await
    }

    pub(crate) async fn send(
        &self,
        line: &str,
        content_type: &str,
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let mut stream = self.connect().await.unwrap();
        send_on(&mut stream, line, content_type, body.as_ref()).await
    }

    pub(crate) async fn review(&self, review: &Value) -> Value {
        let answer = self.post(review.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.running.await.unwrap();
    }
}

/// Sends a request on a connection, and reads the response.
pub(crate) async fn send_on(
    stream: &mut TlsStream<TcpStream>,
    line: &str,
    content_type: &str,
    body: &[u8],
) -> Answer {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {content_type}\r\nContent-Length: \
         {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server need not read a refused body to its end.
    let _ = stream.write_all(body).await;
    let mut read = Vec::new();
    loop {
        if let Some(answer) = parsed(&read) {
            return answer;
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "no whole answer: {}", String::from_utf8_lossy(&read));
        read.extend(&buffer[..count]);
    }
}

fn parsed(read: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(read).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    (body.len() >= length).then(|| Answer { status, body: body.to_owned() })
}

/// Waits for the condition.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
