//! Workers crash, hang, lose their enclaves and are replaced without failing a quote.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use quoting::{
    AesmQuoter, AttestationKey, DcapQuoter, QuoteReply, QuoteRequest, Quoter, QuotingError,
    ServedQuoter, SoftwareQuoter,
};
use service::{Limits, Metrics, WorkerOptions, WorkerQuoter};
use sgx::{AesmError, AttestationKeyId, QeReportInfo, ReportData};
use software_platform::SoftwarePlatform;

use crate::support::{Service, application, ask_once, deployment};

/// The environment variables of a worker: the directory of its software platform, or its quote
/// generation library.
const STATE_DIR: &str = "WORKER_STATE_DIR";
const LIBRARY: &str = "WORKER_LIBRARY";

/// Starts two workers, each by this command.
pub(crate) async fn start(
    command: impl Fn() -> Command + Send + Sync + 'static,
    metrics: &Metrics,
) -> WorkerQuoter {
    let options = WorkerOptions {
        command: Box::new(command),
        workers: NonZeroUsize::new(2).unwrap(),
        start_timeout: Duration::from_secs(20),
        quote_timeout: Duration::from_secs(5),
    };
    let workers = WorkerQuoter::start(options, metrics);
    workers.first_start().await;
    workers
}

/// The command that starts a worker on the software platform in this directory.
pub(crate) fn software(state_dir: &Path) -> impl Fn() -> Command + Send + Sync + 'static {
    let state_dir = state_dir.as_os_str().to_owned();
    move || worker_with(STATE_DIR, &state_dir)
}

/// The command that starts a worker on this quote generation library.
pub(crate) fn dcap(library: OsString) -> impl Fn() -> Command + Send + Sync + 'static {
    move || worker_with(LIBRARY, &library)
}

fn worker_with(variable: &str, value: &OsStr) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", "workers::worker", "--ignored"]).env(variable, value);
    command
}

/// The first byte of the report data, by which a test says what a worker is to do.
const DIE: u8 = 1;
const DIE_ONCE: u8 = 2;
const PANIC_ONCE: u8 = 3;
const HANG_ONCE: u8 = 4;
const LOSE_ENCLAVE_ONCE: u8 = 5;
const WAIT_FOR_RELEASE: u8 = 6;
const SEND_TEXT_ONCE: u8 = 7;
const SEND_SHORT_TEXT_ONCE: u8 = 8;
const QUOTE_ANOTHER_REPORT_ONCE: u8 = 9;
const LEAVE_OUT_THE_QE_REPORT_ONCE: u8 = 10;
const PROVE_ANOTHER_NONCE_ONCE: u8 = 11;
const SEND_TEXT: u8 = 12;

/// The file that ends the wait.
const RELEASE: &str = "release";

#[test]
#[ignore = "this is the worker that other tests start"]
fn worker() {
    let service = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    service::run_worker(service, open).unwrap();
}

fn open() -> Result<Box<dyn Quoter>, QuotingError> {
    if let Some(library) = std::env::var_os(LIBRARY) {
        return Ok(Box::new(DcapQuoter::open(Path::new(&library))?));
    }
    let state_dir = PathBuf::from(std::env::var_os(STATE_DIR).unwrap());
    let platform = SoftwarePlatform::open(&state_dir)
        .map_err(|error| QuotingError::new(AesmError::EnclaveLoad, error.to_string()))?;
    Ok(Box::new(Faulty { quoter: SoftwareQuoter::new(Arc::new(platform)), state_dir }))
}

/// Does what the REPORT says, some of it once only.
struct Faulty {
    quoter: SoftwareQuoter,
    state_dir: PathBuf,
}

impl Quoter for Faulty {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        self.quoter.attestation_key_ids()
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        self.quoter.initialize(key_id)
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        self.quoter.quote_size(key_id)
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        let fault = request.report.body.report_data.0[0];
        let first = || File::create_new(self.state_dir.join(format!("fault-{fault}"))).is_ok();
        match fault {
            DIE => std::process::abort(),
            DIE_ONCE if first() => std::process::abort(),
            PANIC_ONCE if first() => panic!("as the test wants it"),
            HANG_ONCE if first() => thread::sleep(Duration::from_secs(3600)),
            LOSE_ENCLAVE_ONCE if first() => {
                return Err(QuotingError::new(AesmError::EnclaveLost, "as the test wants it"));
            }
            SEND_TEXT_ONCE | SEND_SHORT_TEXT_ONCE | SEND_TEXT if fault == SEND_TEXT || first() => {
                let size = if fault == SEND_SHORT_TEXT_ONCE { 50 } else { 2_000 };
                return Ok(QuoteReply { quote: vec![b'x'; size], qe_report_info: None });
            }
            QUOTE_ANOTHER_REPORT_ONCE if first() => {
                let target_info = self.quoter.initialize(&request.key_id)?.target_info;
                let report = application().report(&target_info, ReportData([0; 64]));
                return self.quoter.quote(&QuoteRequest { report, ..request.clone() });
            }
            LEAVE_OUT_THE_QE_REPORT_ONCE if first() => {
                return self
                    .quoter
                    .quote(&QuoteRequest { qe_report_info: None, ..request.clone() });
            }
            PROVE_ANOTHER_NONCE_ONCE if first() => {
                let mut other = request.clone();
                other.qe_report_info.as_mut().unwrap().nonce = [1; 16];
                let mut reply = self.quoter.quote(&other)?;
                reply.qe_report_info.as_mut().unwrap().nonce =
                    request.qe_report_info.unwrap().nonce;
                return Ok(reply);
            }
            WAIT_FOR_RELEASE => {
                while !self.state_dir.join(RELEASE).exists() {
                    thread::sleep(Duration::from_millis(10));
                }
            }
            _ => {}
        }
        self.quoter.quote(request)
    }
}

/// A service whose quotes come from two workers.
fn service(limits: Limits) -> (Service, tempfile::TempDir) {
    let (service, _, directory) = service_and_workers(limits);
    (service, directory)
}

/// The same with its Quoter, and the directory that has the platform's state in `state`.
pub(crate) fn service_and_workers(
    limits: Limits,
) -> (Service, Arc<WorkerQuoter>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    SoftwarePlatform::init(&directory.path().join("state"), deployment()).unwrap();
    let (service, workers) = serve(directory.path(), limits);
    (service, workers, directory)
}

fn serve(directory: &Path, limits: Limits) -> (Service, Arc<WorkerQuoter>) {
    let command = software(&directory.join("state"));
    let (hand_over, workers) = mpsc::channel();
    let make = async move |metrics: Metrics| {
        let workers = Arc::new(start(command, &metrics).await);
        hand_over.send(Arc::clone(&workers)).unwrap();
        workers as Arc<dyn ServedQuoter>
    };
    let service = Service::start_with(&directory.join("aesm.socket"), make, limits);
    (service, workers.recv().unwrap())
}

fn client(service: &Service) -> AesmQuoter {
    AesmQuoter::new(&service.socket, Duration::from_secs(20))
}

fn ask(service: &Service, request: &QuoteRequest) -> Result<(), AesmError> {
    ask_once(&service.socket, request).map(drop)
}

fn request(quoter: &dyn Quoter, fault: u8) -> QuoteRequest {
    let key_id = AttestationKeyId::ecdsa_p256();
    let target_info = quoter.initialize(&key_id).unwrap().target_info;
    let report = application().report(&target_info, ReportData([fault; 64]));
    QuoteRequest { report, key_id, qe_report_info: None }
}

#[test]
fn a_worker_that_fails_costs_nobody_a_quote() {
    let (service, _directory) = service(Limits::default());
    let client = client(&service);
    let harmless = request(&client, 0);
    for fault in [DIE_ONCE, PANIC_ONCE, HANG_ONCE, LOSE_ENCLAVE_ONCE] {
        let faulty = request(&client, fault);
        thread::scope(|scope| {
            for request in [&harmless; 8].into_iter().chain([&faulty]).chain([&harmless; 8]) {
                let service = &service;
                scope.spawn(move || ask(service, request).unwrap());
            }
        });
    }
}

/// The service checks replies itself, since a worker's own checks may be compromised.
#[test]
fn a_worker_that_lies_is_replaced_and_its_quote_made_by_another_one() {
    let (service, _directory) = service(Limits::default());
    let client = client(&service);
    for fault in [
        SEND_TEXT_ONCE,
        SEND_SHORT_TEXT_ONCE,
        QUOTE_ANOTHER_REPORT_ONCE,
        LEAVE_OUT_THE_QE_REPORT_ONCE,
        PROVE_ANOTHER_NONCE_ONCE,
    ] {
        let target_info = application().target_info();
        let info = QeReportInfo { nonce: [fault; 16], target_info, ..QeReportInfo::default() };
        let request = QuoteRequest { qe_report_info: Some(info), ..request(&client, fault) };
        let reply = client.quote(&request).unwrap_or_else(|error| panic!("{fault}: {error}"));
        request.check(&reply).unwrap_or_else(|wrong| panic!("{fault}: {wrong}"));
    }
}

#[test]
fn lies_of_workers_are_never_delivered() {
    let (service, _directory) = service(Limits::default());
    let client = client(&service);
    let lie = request(&client, SEND_TEXT);
    assert_eq!(ask(&service, &lie), Err(AesmError::ServiceUnavailable));
    assert_eq!(ask(&service, &request(&client, 0)), Ok(()));
}

#[test]
fn a_quote_that_workers_die_of_is_given_up() {
    let (service, _directory) = service(Limits::default());
    let client = client(&service);
    let (deadly, harmless) = (request(&client, DIE), request(&client, 0));
    let begin = Instant::now();
    assert_eq!(ask(&service, &deadly), Err(AesmError::ServiceUnavailable));
    assert!(begin.elapsed() < Limits::default().quote_timeout, "it was not given up");
    assert_eq!(ask(&service, &harmless), Ok(()));
}

#[test]
fn a_full_queue_is_busy_at_once() {
    let (service, directory) = service(Limits { queued_quotes: 3, ..Limits::default() });
    let waiting = request(&client(&service), WAIT_FOR_RELEASE);
    let (sender, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (sender, service, waiting) = (sender.clone(), &service, &waiting);
            scope.spawn(move || sender.send(ask(service, waiting)).unwrap());
        }
        assert_eq!(outcomes.recv().unwrap(), Err(AesmError::Busy));
        File::create(directory.path().join("state").join(RELEASE)).unwrap();
        (0..3).for_each(|_| assert_eq!(outcomes.recv().unwrap(), Ok(())));
    });
}

#[test]
fn without_a_worker_quotes_are_refused_at_once_until_there_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let (service, _) = serve(directory.path(), Limits::default());
    let client = client(&service);
    let key_id = AttestationKeyId::ecdsa_p256();
    assert_eq!(client.attestation_key_ids().unwrap(), [key_id]);
    assert_eq!(client.initialize(&key_id).unwrap_err().code(), AesmError::ServiceUnavailable);

    SoftwarePlatform::init(&directory.path().join("state"), deployment()).unwrap();
    let begin = Instant::now();
    while client.initialize(&key_id).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "no worker is available");
        thread::sleep(Duration::from_millis(20));
    }
    client.quote(&request(&client, 0)).unwrap();
}

#[test]
fn quotes_are_refused_at_once_while_no_worker_comes_up() {
    let (service, directory) = service(Limits::default());
    let client = client(&service);
    let (deadly, harmless) = (request(&client, DIE), request(&client, 0));
    let (state, away) = (directory.path().join("state"), directory.path().join("away"));
    std::fs::rename(&state, &away).unwrap();
    for request in [&deadly, &harmless] {
        assert_eq!(ask(&service, request), Err(AesmError::ServiceUnavailable));
    }
    let begin = Instant::now();
    assert_eq!(ask(&service, &harmless), Err(AesmError::ServiceUnavailable));
    client.initialize(&harmless.key_id).unwrap();
    client.quote_size(&harmless.key_id).unwrap();
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());

    std::fs::rename(&away, &state).unwrap();
    while ask(&service, &harmless).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(30), "no worker is available again");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn workers_are_replaced_without_failing_a_quote() {
    let (service, workers, _directory) = service_and_workers(Limits::default());
    let harmless = request(&client(&service), 0);
    thread::scope(|scope| {
        let ask_often = || (0..200).for_each(|_| ask(&service, &harmless).unwrap());
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask_often)).collect();
        while !asking.iter().all(thread::ScopedJoinHandle::is_finished) {
            workers.replace();
            thread::sleep(Duration::from_millis(100));
        }
    });
}

/// Another attestation key is for clients to be told of: a worker alone does not bring it in.
#[test]
fn a_worker_with_another_attestation_key_is_not_used_until_all_are_replaced() {
    let (service, workers, directory) = service_and_workers(Limits::default());
    // Until both are ready.
    workers.replace();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(workers.replaced());
    let client = client(&service);
    let before = request(&client, 0);
    let key = client.initialize(&before.key_id).unwrap();

    let state = directory.path().join("state");
    std::fs::remove_dir_all(&state).unwrap();
    SoftwarePlatform::init(&state, deployment()).unwrap();
    // One worker dies, and with the next one there would be two keys.
    let once = request(&client, SEND_TEXT_ONCE);
    ask(&service, &once).unwrap();
    for _ in 0..20 {
        ask(&service, &before).unwrap();
        assert_eq!(client.initialize(&before.key_id).unwrap(), key);
        thread::sleep(Duration::from_millis(20));
    }

    workers.replace();
    let begin = Instant::now();
    while ask(&service, &before) != Err(AesmError::AttKeyNotInitialized) {
        assert!(begin.elapsed() < Duration::from_secs(20), "no new key");
        thread::sleep(Duration::from_millis(20));
    }
    assert_ne!(client.initialize(&before.key_id).unwrap(), key);
    ask(&service, &request(&client, 0)).unwrap();
}
