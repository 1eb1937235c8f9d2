//! Sources that do as they are told, over the collateral of a software platform.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use collateral::{
    Cache, CacheDirectory, CollateralId, Document, Event, Fetcher, PckCertificateRequest,
    RefreshPolicy, RetryPolicy, Source, SourceError, TcbUpdate,
};
use parking_lot::Mutex;
use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;
use verify::{EnclaveId, PckCa, Tee, TrustedRoots};

/// Every kind of item that a software platform has.
pub(crate) fn items() -> Vec<CollateralId> {
    let (platform, set) = (platform([7; 32]), TcbUpdate::Standard);
    let subject = platform.pck_subject();
    let question = PckCertificateRequest {
        qe_id: platform.qe_id(),
        encrypted_ppid: Some(Box::new(platform.encrypted_ppid())),
        cpu_svn: subject.cpu_svn,
        pce_svn: subject.pce_svn,
        pce_id: subject.pce_id,
    };
    vec![
        CollateralId::PckCertificate(question),
        CollateralId::PckCrl(PckCa::Platform),
        CollateralId::RootCaCrl,
        CollateralId::TcbInfo { tee: Tee::Sgx, fmspc: subject.fmspc, set },
        CollateralId::EnclaveIdentity { enclave: EnclaveId::Qe, set },
    ]
}

/// The TCB info that a software platform has.
pub(crate) fn tcb_info() -> CollateralId {
    items().remove(3)
}

/// The platform of the deployment with this seed.
pub(crate) fn platform(seed: [u8; 32]) -> SoftwarePlatform {
    machine(seed, [9; 32])
}

/// A machine of the deployment with this seed.
pub(crate) fn machine(seed: [u8; 32], secret: [u8; 32]) -> SoftwarePlatform {
    let created = OffsetDateTime::now_utc() - time::Duration::days(100);
    // The same all day, since the root depends on it.
    let created = created.replace_time(time::Time::MIDNIGHT);
    let deployment = Deployment::from_seed(seed, SubjectNames::Software, created).unwrap();
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes(secret)).unwrap()
}

/// A source with the documents of the software platform, or a failure.
#[derive(Clone)]
pub(crate) struct Scripted {
    documents: Arc<Vec<(String, Document)>>,
    roots: TrustedRoots,
    asked: Arc<AtomicUsize>,
    failure: Arc<Mutex<Option<SourceError>>>,
    delay: Duration,
}

impl Scripted {
    /// A source that works.
    pub(crate) fn new() -> Self {
        Self::of(&platform([7; 32]))
    }

    /// A source of this platform.
    pub(crate) fn of(platform: &SoftwarePlatform) -> Self {
        Self::published(platform, OffsetDateTime::now_utc())
    }

    /// A source of what this platform's deployment said at this time.
    pub(crate) fn published(platform: &SoftwarePlatform, at: OffsetDateTime) -> Self {
        Self::evaluated(platform, at, 1)
    }

    /// The same with this TCB evaluation data number.
    pub(crate) fn evaluated(platform: &SoftwarePlatform, at: OffsetDateTime, number: u32) -> Self {
        let roots = TrustedRoots::parse(platform.root_certificate().der()).unwrap();
        Self {
            documents: Arc::new(documents(platform, at, number)),
            roots,
            asked: Arc::default(),
            failure: Arc::default(),
            delay: Duration::ZERO,
        }
    }

    /// The same, taking its time.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// From now on it fails so; `None`: it works.
    pub(crate) fn fail(&self, failure: Option<SourceError>) {
        *self.failure.lock() = failure;
    }

    /// The number of requests.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        self.fetcher_at(SystemTime::now)
    }

    /// With this clock; sources in trouble are asked again after 10 ms.
    pub(crate) fn fetcher_at(&self, clock: fn() -> SystemTime) -> Fetcher {
        let timing =
            RetryPolicy { first_pause: Duration::from_millis(10), ..RetryPolicy::default() };
        Fetcher::new(vec![Box::new(self.clone())], self.roots.clone(), timing, clock)
    }

    pub(crate) fn roots(&self) -> TrustedRoots {
        self.roots.clone()
    }

    /// A cache in this directory that asks this source, and what it has to say.
    pub(crate) fn cache(&self, directory: &Path) -> (Cache, Arc<Mutex<Vec<String>>>) {
        self.cache_at(directory, SystemTime::now, RefreshPolicy::default())
    }

    /// The same at another time, and with another notion of what is fresh.
    pub(crate) fn cache_at(
        &self,
        directory: &Path,
        clock: fn() -> SystemTime,
        policy: RefreshPolicy,
    ) -> (Cache, Arc<Mutex<Vec<String>>>) {
        let events: Arc<Mutex<Vec<String>>> = Arc::default();
        let recorded = Arc::clone(&events);
        let record = Box::new(move |event: &Event| recorded.lock().push(event.to_string()));
        let directory = Some(CacheDirectory::new(directory, 1 << 20));
        (Cache::new(self.fetcher_at(clock), directory, policy, record), events)
    }
}

impl Source for Scripted {
    fn name(&self) -> &str {
        "the scripted source"
    }

    fn fetch(&self, item: &CollateralId, _deadline: Instant) -> Result<Document, SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.delay);
        let failure = self.failure.lock().clone();
        match failure {
            Some(failure) => Err(failure),
            None => {
                let named = self.documents.iter().find(|(name, _)| *name == item.to_string());
                named.map(|(_, document)| document.clone()).ok_or(SourceError::NotFound)
            }
        }
    }
}

/// The documents of the platform's deployment at this time and TCB evaluation, for each of the
/// [`items`], by name.
pub(crate) fn documents(
    platform: &SoftwarePlatform,
    now: OffsetDateTime,
    evaluation: u32,
) -> Vec<(String, Document)> {
    let mut issue = platform.deployment().up_to_date(&platform.pck_subject(), now);
    issue.tcb_evaluation_data_number = evaluation;
    let (said, pck) = (platform.collateral(&issue).unwrap(), platform.pck_certificate());
    let signed = |name: &str, json: &str, signature: &[u8]| {
        format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature)).into_bytes()
    };
    let documents = [
        (pck.leaf().pem().as_bytes().to_vec(), pck.issuer_chain_pem().to_owned()),
        (said.pck_crl, said.pck_crl_issuer_chain),
        (said.root_ca_crl, String::new()),
        (signed("tcbInfo", &said.tcb_info, &said.tcb_info_signature), said.tcb_info_issuer_chain),
        (
            signed("enclaveIdentity", &said.qe_identity, &said.qe_identity_signature),
            said.qe_identity_issuer_chain,
        ),
    ];
    let document = |(body, issuer_chain)| Document { body, issuer_chain };
    let names = items().into_iter().map(|item| item.to_string());
    names.zip(documents.into_iter().map(document)).collect()
}

/// The source gives no sign of life.
pub(crate) fn dead() -> Option<SourceError> {
    Some(SourceError::Unreachable("connection refused".to_owned()))
}
