//! A running device plugin, with metrics over HTTP.

use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use kubernetes::device_plugin::{Metrics, Options, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::eventually;
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::Node;

pub(crate) struct Plugin {
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    http: SocketAddr,
}

impl Plugin {
    /// A node with its kubelet and a ready plugin for 8 MiB of EPC.
    pub(crate) async fn on_node() -> (Node, Kubelet, Self) {
        let (node, kubelet) = Kubelet::on_node();
        let plugin = Self::start_ready(&node, node.azure()).await;
        (node, kubelet, plugin)
    }

    pub(crate) async fn start(node: &Node, options: Options) -> Self {
        let metrics = Metrics::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let router = metrics.router(node.pod_resources());
        tokio::spawn(http_server::serve(listener, router, pending()));
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap() };
        let running = tokio::spawn(run(options, metrics.clone(), stopped));
        Self { metrics, stop, running, http }
    }

    /// A plugin that the kubelet watches.
    pub(crate) async fn start_ready(node: &Node, options: Options) -> Self {
        let plugin = Self::start(node, options).await;
        tokio::task::yield_now().await;
        plugin.is_ready().await;
        plugin
    }

    pub(crate) async fn is_ready(&self) {
        eventually("the plugin is ready", async || self.problems().is_empty()).await;
    }

    /// Its readiness problems.
    pub(crate) fn problems(&self) -> String {
        self.metrics.readiness().problems().join("\n")
    }

    /// Waits for this readiness problem.
    pub(crate) async fn has_problem(&self, words: &str) {
        eventually(words, async || self.problems().contains(words)).await;
    }

    /// The status and the body of an HTTP response.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: plugin\r\nAccept: application/openmetrics-text\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The value of a metric, by its name without the common prefix.
    pub(crate) async fn metric(&self, name: &str) -> Option<u64> {
        let (status, metrics) = self.get("/metrics").await;
        assert_eq!(status, 200);
        let name = format!("quote_helper_device_plugin_{name} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.map(|value| value.parse().unwrap())
    }

    /// Stops as on SIGTERM, immediately.
    pub(crate) async fn stop(self) {
        self.stop_within(Duration::from_secs(1)).await;
    }

    /// Stops as on SIGTERM, within this time.
    pub(crate) async fn stop_within(self, time: Duration) {
        self.stop.send(()).unwrap();
        timeout(time, self.running).await.expect("a prompt end").unwrap();
    }

    /// Stops as on SIGKILL: its sockets remain without a listener.
    pub(crate) async fn crash(self, node: &Node, resources: &[&str]) {
        let aside = |resource| node.path("aside").with_extension(resource);
        let sockets = resources.iter().map(|it| (node.socket(it), aside(it.replace('/', "_"))));
        let sockets: Vec<_> = sockets.collect();
        for (socket, aside) in &sockets {
            fs::hard_link(socket, aside).unwrap();
        }
        self.running.abort();
        self.running.await.expect_err("it was aborted");
        for (socket, aside) in sockets {
            fs::rename(aside, socket).unwrap();
        }
    }
}
