//! Intel's PCS as source: the server chooses from its lists of certificates.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get as getting;
use collateral::settings::{Serves, SourceSettings};
use collateral::{PckContents, PcsKind};
use collateral_server::Mode;
use parking_lot::Mutex;
use software_platform::SoftwarePlatform;

use crate::exchange::{Answer, get, request};
use crate::full;
use crate::full::{
    ADMIN, Full, Home, USER, Upstream, V4, answer, certificate_at, pck_request, url_encoded,
};

/// The certificates of the PCS: PCESVNs with one, and those without one yet.
#[derive(Default)]
struct Offer {
    pce_svns: Vec<u16>,
    not_available: Vec<u16>,
    questions: Vec<String>,
}

struct Pcs {
    platform: Arc<SoftwarePlatform>,
    offer: Arc<Mutex<Offer>>,
    lists: Upstream,
    collateral: Upstream,
}

/// A PCS with certificates for these PCESVNs, and a server that uses it.
async fn offering(pce_svns: &[u16], mode: Mode) -> (Pcs, Home, Full) {
    let pcs = Pcs::offering(pce_svns).await;
    let home = Home::trusting(&pcs.platform);
    let server = home.serve(mode, pcs.sources(&home)).await;
    (pcs, home, server)
}

impl Pcs {
    /// A PCS that has certificates for these PCESVNs of the platform.
    async fn offering(pce_svns: &[u16]) -> Self {
        let platform = full::platform();
        let offer = Offer { pce_svns: pce_svns.to_vec(), ..Offer::default() };
        let offer = Arc::new(Mutex::new(offer));
        let (of, state) = (Arc::clone(&platform), Arc::clone(&offer));
        let list = async move |uri: Uri, body: Bytes| {
            let question = format!("{uri} {}", String::from_utf8_lossy(&body));
            state.lock().questions.push(question);
            list(&of, &state.lock())
        };
        let path = format!("{V4}/pckcerts");
        let router = Router::new().route(&path, getting(list.clone()).post(list));
        let (lists, collateral) = (Upstream::with(router).await, Upstream::of(&platform).await);
        Self { platform, offer, lists, collateral }
    }

    fn sources(&self, home: &Home) -> Vec<SourceSettings> {
        let key = home.path().join("key");
        std::fs::write(&key, "the key\n").unwrap();
        let mut lists = self.lists.source(PcsKind::Pcs, Serves::PckCertificates);
        if let SourceSettings::Service(service) = &mut lists {
            service.api_key_file = Some(key);
        }
        vec![lists, self.collateral.source(PcsKind::Pccs, Serves::Collateral)]
    }

    fn question(&self, pce_svn: u16) -> String {
        let pce_svn = hex::encode(pce_svn.to_le_bytes());
        pck_request(&self.platform).replace("pcesvn=0d00", &format!("pcesvn={pce_svn}"))
    }
}

fn list(platform: &SoftwarePlatform, offer: &Offer) -> Response {
    if offer.pce_svns.is_empty() && offer.not_available.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let entry = |tcbm: &str, cert: &str| {
        format!(r#"{{"tcb":{{"pcesvn":1}},"tcbm":"{tcbm}","cert":"{cert}"}}"#)
    };
    let there = offer.pce_svns.iter().map(|pce_svn| {
        let (tcbm, cert) = certificate_at(platform, *pce_svn);
        entry(&tcbm, &cert)
    });
    let missing = offer
        .not_available
        .iter()
        .map(|pce_svn| entry(&certificate_at(platform, *pce_svn).0, "Not available"));
    let entries: Vec<_> = there.chain(missing).collect();
    let chain = url_encoded(platform.pck_certificate().issuer_chain_pem());
    answer(&[("sgx-pck-certificate-issuer-chain", chain)], format!("[{}]", entries.join(",")))
}

fn pce_svn(answer: &Answer) -> u16 {
    assert_eq!(answer.status, 200, "{}", answer.text());
    PckContents::read(&answer.body).unwrap().pce_svn
}

#[tokio::test]
async fn certificates_for_all_tcbs_outlive_the_source() {
    let (pcs, _home, server) = offering(&[11, 13, 12], Mode::Lazy).await;
    assert_eq!(pce_svn(&get(server.address, &pcs.question(13)).await), 13);
    assert_eq!(pcs.lists.asked(), 1);
    assert_eq!(*pcs.lists.api_keys.lock(), ["the key"]);
    assert!(pcs.collateral.api_keys.lock().is_empty());
    pcs.lists.set_down(true);
    pcs.collateral.set_down(true);
    for (at, chosen) in [(11, 11), (12, 12), (13, 13), (20, 13)] {
        assert_eq!(pce_svn(&get(server.address, &pcs.question(at)).await), chosen, "{at}");
    }
    assert_eq!(get(server.address, &pcs.question(10)).await.status, 502);
}

#[tokio::test]
async fn a_new_tcb_fetches_newly_issued_certificates() {
    let (pcs, _home, server) = offering(&[12], Mode::Lazy).await;
    assert_eq!(pce_svn(&get(server.address, &pcs.question(13)).await), 12);
    pcs.offer.lock().pce_svns.push(14);
    assert_eq!(pce_svn(&get(server.address, &pcs.question(14)).await), 14);
    // A refresh chooses again for known TCBs.
    pcs.offer.lock().pce_svns.push(13);
    let question = format!("{V4}/refresh?type=certs&fmspc=");
    assert_eq!(request(server.address, "POST", &question, &[ADMIN], b"").await.status, 200);
    assert_eq!(pce_svn(&get(server.address, &pcs.question(13)).await), 13);
}

#[tokio::test]
async fn invented_tcbs_cause_few_upstream_requests() {
    let (pcs, _home, server) = offering(&[12], Mode::Lazy).await;
    for at in 100..130 {
        assert_eq!(pce_svn(&get(server.address, &pcs.question(at)).await), 12);
    }
    assert_eq!(pcs.lists.asked(), 16);
}

#[tokio::test]
async fn a_platform_without_encrypted_ppid_is_unknown() {
    let (pcs, _home, server) = offering(&[12], Mode::Lazy).await;
    let question = pcs.question(13);
    let (before, after) = question.split_once("&encrypted_ppid=").unwrap();
    let after = after.split_once('&').unwrap().1;
    assert_eq!(get(server.address, &format!("{before}&{after}")).await.status, 461);
    let zeros = format!("{before}&encrypted_ppid={}&{after}", "0".repeat(768));
    assert_eq!(get(server.address, &zeros).await.status, 404);
    assert_eq!(pcs.lists.asked(), 0);
    // It is known from now on.
    assert_eq!(get(server.address, &question).await.status, 200);
    assert_eq!(get(server.address, &format!("{before}&{after}")).await.status, 200);
}

#[tokio::test]
async fn a_platform_is_registered_with_its_manifest() {
    let (pcs, _home, server) = offering(&[12, 13], Mode::Lazy).await;
    let qe_id = hex::encode(pcs.platform.qe_id());
    let body = format!(r#"{{"qe_id":"{qe_id}","pce_id":"0000","platform_manifest":"abcdef"}}"#);
    let path = format!("{V4}/platforms");
    let registered = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    let question = pcs.offer.lock().questions[0].clone();
    assert!(question.contains(r#"{"platformManifest":"ABCDEF","pceid":"0000"}"#), "{question}");
    pcs.lists.set_down(true);
    assert_eq!(pce_svn(&get(server.address, &pcs.question(13)).await), 13);
}

#[tokio::test]
async fn registration_in_mode_req_fetches_and_queues_missing_certificates() {
    let (pcs, _home, server) = offering(&[12], Mode::Req).await;
    pcs.offer.lock().not_available.push(13);
    assert_eq!(get(server.address, &pcs.question(12)).await.status, 461);
    let body = registration(&pcs.platform);
    let path = format!("{V4}/platforms");
    let registered = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    assert_eq!(pce_svn(&get(server.address, &pcs.question(13)).await), 12);
    let queue = async |source: &str| {
        let path = format!("{path}?source={source}");
        request(server.address, "GET", &path, &[ADMIN], b"").await
    };
    assert_eq!(queue("reg").await.text(), "[]");
    let missing = queue("reg_na").await;
    assert_eq!(missing.headers["platform-count"], "1");
    assert!(missing.text().contains(r#""pce_svn":"0D00""#), "{}", missing.text());
}

#[tokio::test]
async fn platforms_in_mode_req_stay_queued_while_the_source_is_down() {
    let (pcs, _home, server) = offering(&[12], Mode::Req).await;
    pcs.lists.set_down(true);
    let (path, body) = (format!("{V4}/platforms"), registration(&pcs.platform));
    let registered = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
    assert_eq!(registered.status, 502);
    let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
    assert_eq!(queue.headers["platform-count"], "1");
    assert!(queue.text().contains(&hex::encode_upper(pcs.platform.qe_id())), "{}", queue.text());
    // A response may be lost: it is repeated until the certificates are stored.
    let again = request(server.address, "GET", &path, &[ADMIN], b"").await;
    assert_eq!(again.text(), queue.text());
    pcs.lists.set_down(false);
    let registered =
        async || request(server.address, "POST", &path, &[USER], body.as_bytes()).await.status;
    while registered().await != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
    assert_eq!((queue.text(), queue.headers["platform-count"].as_str()), ("[]", "0"));
}

/// The body with which the platform registers.
fn registration(platform: &SoftwarePlatform) -> String {
    let subject = platform.pck_subject();
    format!(
        r#"{{"qe_id":"{}","pce_id":"0000","cpu_svn":"{}","pce_svn":"0d00","enc_ppid":"{}","platform_manifest":""}}"#,
        hex::encode(platform.qe_id()),
        subject.cpu_svn,
        hex::encode(platform.encrypted_ppid())
    )
}
