//! HTTP servers in front of a peer that opens connections and sends nothing, or half of a request.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::{Machine, SERVE, Serve, eventually, http_get};

/// Twice as many as a server keeps, and as many again as wait to be accepted.
const CONNECTIONS: usize = 2000;
/// The timeout of a kubelet's probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Enough for TCP to try again after a burst that the accept queue could not take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const HOSTILE: [u8; 4] = [127, 0, 0, 2];
const PROBE: [u8; 4] = [127, 0, 0, 1];

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// Connections of a hostile peer: every other one has sent half of a request.
async fn hold(to: SocketAddr) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for number in 0..CONNECTIONS {
        let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, connect(HOSTILE, to)).await else {
            // The server does not accept any more.
            break;
        };
        if number % 2 == 0 {
            // It may be closed already.
            let _ = stream.try_write(b"GET /livez HTTP/1.1\r\nHost:");
        }
        held.push(stream);
    }
    held
}

/// The first line of the answer to this path.
async fn ask(from: [u8; 4], to: SocketAddr, path: &str) -> Option<String> {
    let asked = async {
        let stream = connect(from, to).await.ok()?.into_std().ok()?;
        stream.set_nonblocking(false).ok()?;
        stream.set_read_timeout(Some(PROBE_TIMEOUT)).ok()?;
        let answer = tokio::task::spawn_blocking({
            let path = path.to_owned();
            move || first_line(stream, &path)
        });
        answer.await.ok()?
    };
    timeout(PROBE_TIMEOUT, asked).await.ok()?
}

fn first_line(mut stream: impl Read + Write, path: &str) -> Option<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().map(str::to_owned)
}

/// A probe is answered in time, from another address and from that of the hostile peer.
#[track_caller]
fn is_answered(what: &str, to: &str, path: &str) {
    let to = to.parse().unwrap();
    let runtime = runtime();
    let held = runtime.block_on(hold(to));
    for from in [PROBE, HOSTILE] {
        let answer = runtime.block_on(ask(from, to, path));
        let answer = answer.unwrap_or_else(|| panic!("{what}: no answer to {from:?} in time"));
        assert!(answer.starts_with("HTTP/1.1 "), "{what}: {answer}");
    }
    assert_eq!(held.len(), CONNECTIONS, "{what}");
}

#[test]
fn probes_of_the_quote_service_are_answered() {
    let machine = Machine::new();
    let serve = machine.serve();
    for served in ["metrics", "collateral"] {
        is_answered("serve", serve.address(served), "/livez");
    }
}

#[test]
fn probes_of_the_collateral_server_are_answered() {
    let machine = Machine::new();
    let line = "collateral serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --mode offline \
         --state-dir server --log-format json";
    let server = Serve::start_until(&mut machine.command(line), "collateral");
    for served in ["metrics", "collateral"] {
        is_answered("collateral serve", server.address(served), "/readyz");
    }
}

#[test]
fn probes_of_the_webhook_are_answered() {
    let machine = Machine::new();
    machine.write("kubeconfig", crate::support::KUBECONFIG);
    let line = "webhook --namespace x --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 \
         --log-format json";
    let mut command = machine.command(line);
    command.env("KUBECONFIG", machine.path("kubeconfig"));
    let webhook = Serve::start_until(&mut command, "metrics");
    is_answered("webhook", webhook.address("metrics"), "/livez");
}

#[test]
fn probes_of_the_device_plugin_are_answered() {
    let machine = Machine::new();
    let line = "device-plugin --plugin-dir plugins --epc-size 0 --epc-accounting devices \
         --metrics-listen 127.0.0.1:0 --log-format json";
    let plugin = Serve::start_until(&mut machine.command(line), "metrics");
    is_answered("device-plugin", plugin.address("metrics"), "/livez");
}

#[test]
fn metrics_over_a_unix_socket_are_answered() {
    let machine = Machine::new();
    let line =
        SERVE.replace("--metrics-listen 127.0.0.1:0", "--metrics-listen unix:metrics.socket");
    let _serve = Serve::start(&mut machine.command(&line));
    let socket = machine.path("metrics.socket");
    eventually("the metrics' socket", || socket.exists());
    let held: Vec<_> =
        (0..CONNECTIONS / 4).filter_map(|_| UnixStream::connect(&socket).ok()).collect();
    let begin = Instant::now();
    let stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(PROBE_TIMEOUT)).unwrap();
    let answer = http_get(stream, "/livez");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begin.elapsed() < PROBE_TIMEOUT && held.len() == CONNECTIONS / 4);
}
