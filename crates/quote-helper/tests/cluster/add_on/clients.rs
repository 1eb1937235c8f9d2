//! Applications that request one quote after another, and do not retry.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aesm_client::AesmClient;
use aesm_client::unix::AesmClientExt;
use sgx::{AttestationKeyId, FromBytes, IntoBytes, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::node::path;

/// The applications.
const CLIENTS: usize = 8;

/// The quotes of applications.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) made: u64,
    pub(super) failures: Vec<String>,
    pub(super) longest: Duration,
}

impl Requests {
    fn and(mut self, other: Self) -> Self {
        self.made += other.made;
        self.failures.extend(other.failures);
        self.longest = self.longest.max(other.longest);
        self
    }
}

/// The quotes of applications on the first node meanwhile.
pub(super) fn requests_during(work: impl FnOnce()) -> Requests {
    let socket = path("/run/aesmd/aesm.socket");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|_| scope.spawn(|| request_quotes(&socket, &is_over)));
        let clients: Vec<_> = clients.collect();
        let over = SetOnDrop(&is_over);
        work();
        drop(over);
        let requests = clients.into_iter().map(|client| client.join().unwrap());
        requests.fold(Requests::default(), Requests::and)
    })
}

/// Ends the applications, also if the test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
