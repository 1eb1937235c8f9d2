//! Many updates, each of which starts the new pods beside the old ones, under applications that do
//! not retry.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aesm_client::AesmClient;
use aesm_client::unix::AesmClientExt;
use serde_json::{Value, json};
use sgx::{AttestationKeyId, FromBytes, IntoBytes, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use super::{AddOn, NAMESPACE, list, quote_service_pod};
use crate::EPC;
use crate::cluster::{kubectl, node, node_name, try_kubectl};
use crate::node::path;

/// The applications, each of which requests one quote after another.
const CLIENTS: usize = 8;
/// The number of updates, unless the variable `SURGES` is set. Each takes 5 to 12 seconds.
const SURGES: u32 = 10;

/// The quotes of an application.
#[derive(Debug, Default)]
struct Requests {
    made: u64,
    failures: Vec<String>,
    longest: Duration,
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn no_quote_of_an_unmodified_client_fails_during_surges() {
    let surges = std::env::var("SURGES").map_or(SURGES, |number| number.parse().unwrap());
    // Nodes are updated one after another.
    let only = format!("kubernetes.io/hostname={}", node_name());
    let _add_on = AddOn::install(&["--enable-sgxquotehelper", "--node-selector", &only]);
    quote_service_pod();
    let socket = path("/run/aesmd/aesm.socket");
    let epc = allocatable();
    let is_over = AtomicBool::new(false);
    let begin = Instant::now();
    let requests: Vec<Requests> = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|_| scope.spawn(|| request_quotes(&socket, &is_over)));
        let clients: Vec<_> = clients.collect();
        let _over = SetOnDrop(&is_over);
        for number in 1..=surges {
            for daemon_set in ["sgx-plugin", "sgx-quote-helper"] {
                update(daemon_set, number);
            }
            for daemon_set in ["sgx-plugin", "sgx-quote-helper"] {
                is_rolled_out(daemon_set);
            }
            assert_eq!(allocatable(), epc, "EPC leaves the node");
        }
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let made: u64 = requests.iter().map(|it| it.made).sum();
    let longest = requests.iter().map(|it| it.longest).max().unwrap();
    let failures: Vec<_> = requests.iter().flat_map(|it| &it.failures).collect();
    eprintln!(
        "{surges} surges in {:?}: {made} quotes, {} failed, the longest in {longest:?}",
        begin.elapsed(),
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:?}");
    assert!(made > 100 * u64::from(surges), "{made}");
}

/// Ends the applications if the test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn update(daemon_set: &str, number: u32) {
    let annotations = json!({ "add-on-test/surge": number.to_string() });
    let template = json!({ "metadata": { "annotations": annotations } });
    let patch = json!({ "spec": { "template": template } }).to_string();
    kubectl(&["patch", "daemonset", daemon_set, "-n", NAMESPACE, "-p", &patch], "");
}

#[track_caller]
fn is_rolled_out(daemon_set: &str) {
    let status = ["rollout", "status", &format!("daemonset/{daemon_set}"), "--timeout=60s"];
    let rolled_out = try_kubectl(&[&status[..], &["-n", NAMESPACE]].concat(), "");
    assert!(rolled_out.status.success(), "{rolled_out:?}: {:#?}", list("pods", NAMESPACE));
}

fn allocatable() -> Value {
    node()["status"]["allocatable"][EPC].clone()
}

/// Requests quotes as Fortanix's client does, which connects for each request and does not retry.
fn request_quotes(socket: &Path, is_over: &AtomicBool) -> Requests {
    let client = AesmClient::with_path(socket);
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let mut requests = Requests::default();
    while !is_over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        match quote(&client, &enclave) {
            Ok(()) => requests.made += 1,
            Err(error) => requests.failures.push(error),
        }
        requests.longest = requests.longest.max(begin.elapsed());
    }
    requests
}

fn quote(client: &AesmClient, enclave: &SoftwareEnclave) -> Result<(), String> {
    let key_id = AttestationKeyId::ecdsa_p256().as_bytes().to_vec();
    let key = client.init_quote_ex(key_id.clone()).map_err(|error| error.to_string())?;
    let target_info = TargetInfo::read_from_bytes(key.target_info());
    let target_info = target_info.map_err(|_| "no target info".to_owned())?;
    let report = enclave.report(&target_info, ReportData::default()).as_bytes().to_vec();
    let own = enclave.target_info().as_bytes().to_vec();
    let quote = client.get_quote_ex(key_id, report, Some(own), vec![6; 16]);
    let quote = quote.map_err(|error| error.to_string())?;
    if quote.quote().is_empty() { Err("an empty quote".to_owned()) } else { Ok(()) }
}
