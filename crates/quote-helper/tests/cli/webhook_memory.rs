//! `webhook` with the memory that the add-on gives it, before clients who want all of it.

mod api_server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use self::api_server::ApiServer;
use crate::memory_group::Group;
use crate::support::{Machine, Serve, eventually};

/// As the manifests have it, in bytes.
const LIMIT: u64 = 128 << 20;
/// The API server's timeout, as in the manifests.
const API_SERVER_TIMEOUT: Duration = Duration::from_secs(3);
const HOST: &str = "sgx-webhook.x.svc";

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A webhook in a control group.
struct Webhook {
    process: Serve,
    trust: Arc<ClientConfig>,
    group: Group,
}

impl Webhook {
    fn start(machine: &Machine, group: Group) -> Self {
        let server = ApiServer::start();
        machine.write("kubeconfig", server.kubeconfig());
        let program =
            machine.command("webhook --namespace x --listen 127.0.0.1:0 --log-format json");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("echo $$ > {} && exec \"$@\"", group.processes().display())]);
        command.arg("sh").arg(program.get_program()).args(program.get_args()).env_clear();
        command.env("KUBECONFIG", machine.path("kubeconfig")).stderr(Stdio::piped());
        let process = Serve::start_until(&mut command, "admission reviews");
        eventually("it tells whom to trust", || server.bundle().is_some());
        let trust = trusting(&server.bundle().unwrap());
        Self { process, trust, group }
    }

    fn connect(&self) -> Stream {
        let stream = TcpStream::connect(self.process.address("admission reviews")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let name = HOST.try_into().unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.trust), name).unwrap(), stream)
    }

    /// Sends so much of a review.
    fn send(&self, body: &[u8], sent: usize) -> Stream {
        let mut stream = self.connect();
        let head = format!(
            "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        // It may be refused before it is read.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body[..sent]);
        let _ = stream.flush();
        stream
    }

    /// The HTTP status; nothing if the connection was closed.
    fn post(&self, pod: &Value) -> Option<u16> {
        let body = review(pod);
        status(self.send(&body, body.len()))
    }

    fn answers_the_api_server(&self) {
        let begin = Instant::now();
        assert_eq!(self.post(&pod(&json!([]))), Some(200));
        assert!(begin.elapsed() < API_SERVER_TIMEOUT, "after {:?}", begin.elapsed());
    }
}

fn trusting(bundle: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for block in pem::parse_many(bundle).unwrap() {
        roots.add(CertificateDer::from(block.into_contents())).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A pod with these arguments that wants quotes.
fn pod(arguments: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "app", "annotations": { "sgx.intel.com/quote-provider": "aesmd" } },
        "spec": { "containers": [{
            "name": "app",
            "args": arguments,
            "resources": { "limits": { "sgx.intel.com/epc": "5Mi" } },
        }] },
    })
}

fn review(pod: &Value) -> Vec<u8> {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1", "operation": "CREATE", "object": pod,
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
        },
    });
    review.to_string().into_bytes()
}

fn status(mut stream: Stream) -> Option<u16> {
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).unwrap().parse().ok()
}

#[test]
fn no_client_takes_more_memory_than_there_is() {
    if !geteuid().is_root() || !Group::is_possible() {
        let skipped = b"SKIPPED: no control group with a limit on memory can be made here\n";
        return std::io::stderr().write_all(skipped).unwrap();
    }
    let machine = Machine::new();
    let mut webhook = Webhook::start(&machine, Group::new(LIMIT).unwrap());
    let zeros = pod(&json!(vec![0; 1_450_000]));
    let texts = pod(&json!(vec![""; 900_000]));
    let mut containers = pod(&json!([]));
    containers["spec"]["containers"] = json!(vec![json!({}); 900_000]);
    let mut names = pod(&json!([]));
    names["spec"]["containers"][0]["env"] = json!(vec![json!({ "name": "" }); 200_000]);
    std::thread::scope(|scope| {
        let webhook = &webhook;
        for pod in [&zeros, &texts, &containers, &names] {
            for _ in 0..2 {
                scope.spawn(move || {
                    for _ in 0..2 {
                        // It may be refused.
                        let _ = webhook.post(pod);
                    }
                });
            }
        }
        for _ in 0..10 {
            webhook.answers_the_api_server();
        }
    });
    // Bodies that never arrive, large ones and small ones.
    let large = review(&zeros);
    let mut stalled: Vec<_> = (0..50).map(|_| webhook.send(&large, large.len() - 1)).collect();
    let small = vec![b' '; 64 << 10];
    stalled.extend((0..100).map(|_| webhook.send(&small, small.len() - 1)));
    webhook.answers_the_api_server();
    assert_eq!(webhook.post(&zeros), Some(200));
    assert!(webhook.group.in_use() < LIMIT);
    assert_eq!(webhook.process.child.0.try_wait().unwrap(), None, "it was killed");
}
