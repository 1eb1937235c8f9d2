//! The attestation key changes while the service runs: clients are told so by error 42, and go on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aesm::{Client, ClientError, Request};
use aesm_client::unix::AesmClientExt;
use aesm_client::{AesmClient, Error};
use quoting::{AesmQuoter, Quoter, SoftwareQuoter};
use service::Limits;
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, Quote, TargetInfo};
use software_platform::SoftwarePlatform;

use crate::support::{Service, ask_once, deployment, quote_request, report};
use crate::workers;

const KEY_ID: fn() -> AttestationKeyId = AttestationKeyId::ecdsa_p256;

/// A service on a software platform whose TCB can be recovered.
struct Recoverable {
    service: Service,
    quoter: SoftwareQuoter,
    directory: tempfile::TempDir,
}

impl Recoverable {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let platform = SoftwarePlatform::init(directory.path(), deployment()).unwrap();
        let quoter = SoftwareQuoter::new(Arc::new(platform));
        let service = Service::start(Arc::new(quoter.clone()), Limits::default());
        Self { service, quoter, directory }
    }

    fn recover(&self) {
        self.quoter.replace(Arc::new(recovered(self.directory.path())));
    }

    fn client(&self) -> AesmQuoter {
        AesmQuoter::new(&self.service.socket, Duration::from_secs(20))
    }
}

/// The platform of this directory after a TCB recovery and its microcode update.
fn recovered(directory: &Path) -> SoftwarePlatform {
    SoftwarePlatform::publish_tcb(directory, |_, tcb| tcb.raise(time::OffsetDateTime::now_utc()))
        .unwrap();
    SoftwarePlatform::update_microcode(directory).unwrap()
}

fn attestation_key(quote: &[u8]) -> [u8; 64] {
    Quote::parse_padded(quote).unwrap().signature.attestation_public_key
}

#[test]
fn a_client_of_the_old_key_gets_error_42_until_it_initializes_the_new_one() {
    let served = Recoverable::start();
    let (client, socket) = (served.client(), &served.service.socket);
    let request = quote_request(&client);
    let before = ask_once(socket, &request).unwrap();

    served.recover();
    for _ in 0..2 {
        assert_eq!(ask_once(socket, &request).unwrap_err(), AesmError::AttKeyNotInitialized);
    }
    let size = Request::GetQuoteSizeEx { att_key_id: Some(request.key_id.as_bytes()) };
    let refused = Client::new(socket).call(&size).unwrap_err();
    assert!(matches!(refused, ClientError::Refused(AesmError::AttKeyNotInitialized)), "{refused}");
    client.initialize(&KEY_ID()).unwrap();
    let after = ask_once(socket, &request).unwrap();
    assert_ne!(attestation_key(&after), attestation_key(&before));
}

#[test]
fn a_platform_with_the_same_key_changes_nothing_for_clients() {
    let served = Recoverable::start();
    let request = quote_request(&served.client());
    let same = SoftwarePlatform::open(served.directory.path()).unwrap();
    served.quoter.replace(Arc::new(same));
    assert!(ask_once(&served.service.socket, &request).is_ok());
}

#[test]
fn quotes_through_our_client_never_fail() {
    let served = Recoverable::start();
    let (stop, quotes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ask = || {
        let client = served.client();
        let request = quote_request(&client);
        while !stop.load(Ordering::Relaxed) {
            client.quote(&request).unwrap();
            quotes.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for _ in 0..10 {
            let begin = quotes.load(Ordering::Relaxed);
            while quotes.load(Ordering::Relaxed) < begin + 8
                && !clients.iter().any(thread::ScopedJoinHandle::is_finished)
            {
                thread::sleep(Duration::from_millis(1));
            }
            served.recover();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(quotes.into_inner() >= 80);
}

#[test]
fn fortanix_client_is_told_once_and_goes_on() {
    let served = Recoverable::start();
    let client = AesmClient::with_path(&served.service.socket);
    let key_id = KEY_ID().as_bytes().to_vec();
    let initialize = || {
        let info = client.init_quote_ex(key_id.clone()).unwrap();
        TargetInfo::read_from_bytes(info.target_info()).unwrap()
    };
    let report = report(&initialize()).as_bytes().to_vec();
    let quote = || client.get_quote_ex(key_id.clone(), report.clone(), None, vec![0; 16]);
    let before = quote().unwrap();

    served.recover();
    let told = quote().unwrap_err();
    assert!(matches!(told, Error::AesmCode(aesm_client::AesmError::AttKeyNotInitialized_42)));
    initialize();
    let after = quote().unwrap();
    assert_ne!(attestation_key(after.quote()), attestation_key(before.quote()));
}

#[test]
fn workers_with_another_key_are_told_of_in_the_same_way() {
    let (service, workers, directory) = workers::service_and_workers(Limits::default());
    let socket = &service.socket;
    let client = AesmQuoter::new(socket, Duration::from_secs(20));
    let request = quote_request(&client);
    let before = ask_once(socket, &request).unwrap();

    let expected = recovered(&directory.path().join("state")).public_key_id();
    workers.replace();
    let begin = Instant::now();
    while ask_once(socket, &request) != Err(AesmError::AttKeyNotInitialized) {
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody is told of the new key");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.initialize(&KEY_ID()).unwrap().public_key_id, expected);
    // The last of the old workers may still be at it.
    while attestation_key(&ask_once(socket, &request).unwrap()) == attestation_key(&before) {
        assert!(begin.elapsed() < Duration::from_secs(20), "an old worker stays");
        thread::sleep(Duration::from_millis(1));
    }
}
