//! Answers of Intel's PCS that were recorded: kept at their time, and only as Intel signed them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use collateral::{
    Cache, CacheDirectory, CollateralId, Document, Fetcher, PckCertificateRequest, RefreshPolicy,
    RetryPolicy, Source, SourceError, TcbUpdate,
};
use sgx::CpuSvn;
use verify::{EnclaveId, PckCa, Tee, TrustedRoots};

/// A recorded document, and a second at which it was valid.
struct Recorded {
    item: CollateralId,
    document: Document,
    valid_at: fn() -> SystemTime,
}

impl Source for Recorded {
    fn name(&self) -> &str {
        "a recording"
    }

    fn fetch(&self, _item: &CollateralId, _deadline: Instant) -> Result<Document, SourceError> {
        Ok(self.document.clone())
    }
}

fn in_may() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_747_000_000) // 2025-05-11
}

fn in_june() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_750_000_000) // 2025-06-15
}

fn in_august() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_755_000_000) // 2025-08-12
}

fn in_2034() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_020_000_000)
}

fn recordings() -> Vec<Recorded> {
    let fmspc = [0x90, 0x80, 0x6f, 0, 0, 0];
    let set = TcbUpdate::Standard;
    let question = PckCertificateRequest {
        qe_id: [1; 16],
        encrypted_ppid: None,
        cpu_svn: CpuSvn([2; 16]),
        pce_svn: 13,
        pce_id: [0; 2],
    };
    let recorded = |item, file: &str, chain: &str, valid_at| Recorded {
        item,
        document: Document {
            body: read(file),
            issuer_chain: String::from_utf8(read(chain)).unwrap(),
        },
        valid_at,
    };
    let (pck_chain, tcb_chain) = ("pck-platform-ca-chain.pem", "tcb-signing-chain.pem");
    vec![
        recorded(
            CollateralId::PckCertificate(question),
            "pck-90806F000000-highest.pem",
            pck_chain,
            in_august as fn() -> _,
        ),
        recorded(
            CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set },
            "tcb-info-90806F000000.json",
            tcb_chain,
            in_august,
        ),
        recorded(
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qe, set },
            "qe-identity.json",
            tcb_chain,
            in_june,
        ),
        recorded(CollateralId::PckCrl(PckCa::Platform), "pck-crl-platform.der", pck_chain, in_may),
    ]
}

fn read(file: &str) -> Vec<u8> {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/../verify/tests/recorded");
    fs::read(Path::new(recorded).join(file)).unwrap()
}

/// Asks for what was recorded at this time, and says whether it is on disk afterwards.
fn is_kept(recorded: Recorded, now: fn() -> SystemTime) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let item = recorded.item.clone();
    let fetcher =
        Fetcher::new(vec![Box::new(recorded)], TrustedRoots::intel(), RetryPolicy::default(), now);
    let files = CacheDirectory::new(directory.path(), 1 << 20);
    let cache = Cache::new(fetcher, Some(files), RefreshPolicy::default(), Box::new(|_| {}));
    let fetched = cache.get(&item).is_ok();
    assert_eq!(directory.path().join(format!("{item}.json")).exists(), fetched, "{item}");
    fetched
}

#[test]
fn items_signed_by_intel_are_stored_while_valid() {
    for recorded in recordings() {
        let (item, now) = (recorded.item.clone(), recorded.valid_at);
        assert!(is_kept(recorded, now), "{item}");
    }
}

#[test]
fn expired_items_are_never_stored() {
    for recorded in recordings() {
        let item = recorded.item.clone();
        assert!(!is_kept(recorded, in_2034), "{item}");
    }
}

#[test]
fn changed_items_are_never_stored() {
    for number in 0..recordings().len() {
        for part in 1..8 {
            let mut recorded = recordings().remove(number);
            let (item, now) = (recorded.item.clone(), recorded.valid_at);
            let body = &mut recorded.document.body;
            let place = body.len() * part / 8;
            // White space of PEM is not signed.
            let place = (place..).find(|place| body[*place].is_ascii_graphic() || body[0] == 0x30);
            body[place.unwrap()] ^= 1;
            assert!(!is_kept(recorded, now), "{item} at {place:?}");
        }
    }
}

#[test]
fn items_of_another_signer_are_never_stored() {
    for number in 0..recordings().len() {
        let mut recorded = recordings().remove(number);
        let (item, now) = (recorded.item.clone(), recorded.valid_at);
        let is_pck = matches!(item, CollateralId::PckCertificate(_) | CollateralId::PckCrl(_));
        let other = if is_pck { "tcb-signing-chain.pem" } else { "pck-platform-ca-chain.pem" };
        recorded.document.issuer_chain = String::from_utf8(read(other)).unwrap();
        assert!(!is_kept(recorded, now), "{item}");
    }
}

#[test]
fn the_answer_to_another_question_is_never_kept() {
    let mut recorded = recordings().remove(1);
    recorded.item =
        CollateralId::TcbInfo { tee: Tee::Sgx, fmspc: [0; 6], set: TcbUpdate::Standard };
    assert!(!is_kept(recorded, in_august));
    let mut recorded = recordings().remove(3);
    recorded.item = CollateralId::PckCrl(PckCa::Processor);
    assert!(!is_kept(recorded, in_may));
}
