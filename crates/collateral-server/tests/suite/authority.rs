//! Requests without a token, within limits. A QE id is public: to name one proves nothing.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get as getting;
use collateral::settings::{Serves, SourceSettings};
use collateral::{PckContents, PcsKind};
use collateral_server::Mode;
use software_platform::SoftwarePlatform;

use crate::exchange::{Answer, get, get_from, request};
use crate::full::{
    ADMIN, Full, Home, USER, Upstream, V4, answer, certificate_at, machine, pck_request,
    url_encoded,
};

/// A PCS that knows two platforms, by their encrypted PPIDs, and a server below it.
struct Network {
    victim: Arc<SoftwarePlatform>,
    attacker: Arc<SoftwarePlatform>,
    home: Home,
    lists: Upstream,
    collateral: Upstream,
}

impl Network {
    async fn new() -> Self {
        let [victim, attacker] = [9, 10].map(|number| machine([number; 32]));
        let platforms = [Arc::clone(&victim), Arc::clone(&attacker)];
        let list = async move |uri: Uri| {
            let query = uri.query().unwrap().to_ascii_lowercase();
            let mut platforms = platforms.iter();
            let is_asked_for = |platform: &&Arc<SoftwarePlatform>| {
                query.contains(&hex::encode(platform.encrypted_ppid()))
            };
            match platforms.find(is_asked_for) {
                Some(platform) => list(platform),
                None => StatusCode::BAD_REQUEST.into_response(),
            }
        };
        let lists = Router::new().route(&format!("{V4}/pckcerts"), getting(list));
        let lists = Upstream::with(lists).await;
        let (home, collateral) = (Home::trusting(&victim), Upstream::of(&victim).await);
        Self { victim, attacker, home, lists, collateral }
    }

    async fn serve() -> (Self, Full) {
        let network = Self::new().await;
        let server = network.home.serve(Mode::Lazy, network.sources()).await;
        (network, server)
    }

    fn sources(&self) -> Vec<SourceSettings> {
        vec![
            self.lists.source(PcsKind::Pcs, Serves::PckCertificates),
            self.collateral.source(PcsKind::Pccs, Serves::Collateral),
        ]
    }

    /// The victim's request at this PCESVN.
    fn question(&self, pce_svn: u16) -> String {
        let pce_svn = hex::encode(pce_svn.to_le_bytes());
        pck_request(&self.victim).replace("pcesvn=0d00", &format!("pcesvn={pce_svn}"))
    }

    /// The same request, with the attacker's encrypted PPID.
    fn forged(&self, pce_svn: u16) -> String {
        let [victim, attacker] =
            [&self.victim, &self.attacker].map(|platform| hex::encode(platform.encrypted_ppid()));
        self.question(pce_svn).replace(&victim, &attacker)
    }

    /// The body with which the platform registers with the victim's QE id.
    fn registration(&self, platform: &SoftwarePlatform, pce_svn: u16) -> String {
        let (subject, qe_id) = (platform.pck_subject(), hex::encode(self.victim.qe_id()));
        let (ppid, pce_svn) =
            (hex::encode(platform.encrypted_ppid()), hex::encode(pce_svn.to_le_bytes()));
        let cpu_svn = subject.cpu_svn;
        format!(
            r#"{{"qe_id":"{qe_id}","pce_id":"0000","cpu_svn":"{cpu_svn}","pce_svn":"{pce_svn}","enc_ppid":"{ppid}"}}"#
        )
    }

    /// True for the victim's certificate; else it is the attacker's.
    fn is_victims(&self, answer: &Answer) -> bool {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let ppid = |platform: &SoftwarePlatform| {
            PckContents::read(platform.pck_certificate().leaf().pem().as_bytes()).unwrap().ppid
        };
        let found = PckContents::read(&answer.body).unwrap().ppid;
        assert!([&self.victim, &self.attacker].iter().any(|platform| ppid(platform) == found));
        found == ppid(&self.victim)
    }
}

/// Certificates at the PCESVNs 11 to 14.
fn list(platform: &SoftwarePlatform) -> Response {
    let entries = (11..15).map(|pce_svn| {
        let (tcbm, cert) = certificate_at(platform, pce_svn);
        format!(r#"{{"tcb":{{"pcesvn":1}},"tcbm":"{tcbm}","cert":"{cert}"}}"#)
    });
    let entries: Vec<_> = entries.collect();
    let chain = url_encoded(platform.pck_certificate().issuer_chain_pem());
    answer(&[("sgx-pck-certificate-issuer-chain", chain)], format!("[{}]", entries.join(",")))
}

fn without_ppid(question: &str) -> String {
    let (before, after) = question.split_once("&encrypted_ppid=").unwrap();
    format!("{before}&{}", after.split_once('&').unwrap().1)
}

#[tokio::test]
async fn answers_for_a_foreign_qe_id_are_not_stored() {
    let (network, server) = Network::serve().await;
    assert!(network.is_victims(&get(server.address, &network.question(13)).await));
    for pce_svn in [11, 12, 14] {
        let forged = get(server.address, &network.forged(pce_svn)).await;
        assert!(!network.is_victims(&forged), "the response is the attacker's");
        let question = network.question(pce_svn);
        for question in [without_ppid(&question), question] {
            assert!(network.is_victims(&get(server.address, &question).await), "{pce_svn}");
        }
    }
    assert!(network.is_victims(&get(server.address, &network.question(13)).await));
}

#[tokio::test]
async fn registration_binds_the_qe_id_permanently() {
    let (network, server) = Network::serve().await;
    // The attacker is first.
    assert!(!network.is_victims(&get(server.address, &network.forged(13)).await));
    let path = format!("{V4}/platforms");
    let register = async |platform: &SoftwarePlatform, pce_svn| {
        let body = network.registration(platform, pce_svn);
        request(server.address, "POST", &path, &[USER], body.as_bytes()).await
    };
    assert_eq!(register(&network.victim, 13).await.status, 200);
    for question in [network.question(13), without_ppid(&network.question(13))] {
        assert!(network.is_victims(&get(server.address, &question).await));
    }
    // The binding is permanent, even with the token.
    let refused = register(&network.attacker, 12).await;
    assert_eq!((refused.status, refused.text().contains("another platform")), (409, true));
    for pce_svn in [12, 13] {
        assert!(network.is_victims(&get(server.address, &network.question(pce_svn)).await));
    }
}

#[tokio::test]
async fn an_administrator_resolves_conflicting_registrations() {
    let (network, server) = Network::serve().await;
    let path = format!("{V4}/platforms");
    for (platform, pce_svn, status) in [(&network.attacker, 13, 200), (&network.victim, 12, 409)] {
        let body = network.registration(platform, pce_svn);
        let registered = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
        assert_eq!(registered.status, status, "{}", registered.text());
    }
    let certificate = &network.victim.pck_certificate();
    let [qe_id, chain, cert] = [
        hex::encode(network.victim.qe_id()),
        url_encoded(certificate.issuer_chain_pem()),
        url_encoded(certificate.leaf().pem()),
    ];
    let body = format!(
        r#"{{"platforms":[],"collaterals":{{"version":4,"tcbinfos":[],"pck_certs":[
            {{"qe_id":"{qe_id}","pce_id":"0000","enc_ppid":"","certs":
            [{{"tcb":{{}},"tcbm":"","cert":"{cert}"}}]}}],
            "certificates":{{"SGX-PCK-Certificate-Issuer-Chain":{{"PLATFORM":"{chain}"}}}}}}}}"#
    );
    let path = format!("{V4}/platformcollateral");
    let brought = request(server.address, "PUT", &path, &[ADMIN], body.as_bytes()).await;
    assert_eq!(brought.status, 200, "{}", brought.text());
    for question in [network.question(13), without_ppid(&network.question(13))] {
        assert!(network.is_victims(&get(server.address, &question).await));
    }
}

#[tokio::test]
async fn rate_limits_are_separate_for_each_address() {
    let (network, server) = Network::serve().await;
    assert_eq!(get(server.address, &format!("{V4}/qe/identity")).await.status, 200);
    let made_up = |number| format!("{V4}/tcb?fmspc={number:012x}");
    let mut spent = 0;
    while get(server.address, &made_up(spent)).await.status == 404 {
        spent += 1;
    }
    assert!((250..500).contains(&spent), "{spent}");
    let refused = get(server.address, &made_up(1000)).await;
    let wait: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!(refused.status == 429 && (1..10).contains(&wait), "{wait}");
    // Stored items, other addresses, registrations and refreshes are still served.
    assert_eq!(get(server.address, &format!("{V4}/qe/identity")).await.status, 200);
    assert_eq!(get_from("127.0.0.2", server.address, &made_up(1001)).await.status, 404);
    let (path, body) = (format!("{V4}/platforms"), network.registration(&network.victim, 13));
    let registered = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    let path = format!("{V4}/refresh");
    assert_eq!(request(server.address, "POST", &path, &[ADMIN], b"").await.status, 200);
    assert!(network.is_victims(&get(server.address, &network.question(13)).await));
}

/// A PCS answers 400 to an invalid encrypted PPID.
#[tokio::test]
async fn rejected_requests_do_not_open_the_circuit_breaker() {
    let (network, server) = Network::serve().await;
    let wrong = network
        .question(13)
        .replace(&hex::encode(network.victim.encrypted_ppid()), &"ab".repeat(384));
    for number in 0..10 {
        let qe_id = hex::encode_upper(network.victim.qe_id());
        let wrong = wrong.replace(&qe_id, &format!("{number:032x}"));
        assert_ne!(get(server.address, &wrong).await.status, 200);
    }
    assert!(network.is_victims(&get(server.address, &network.question(13)).await));
}

#[tokio::test]
async fn tokens_in_a_query_are_not_repeated() {
    let network = Network::new().await;
    let server = network.home.serve(Mode::Offline, Vec::new()).await;
    for path in ["platforms", "pckcert", "tcb", "refresh", "crl", "nothing"] {
        let path = format!("{V4}/{path}?admin-token=secret&user-token=secret&fmspc=secret");
        let answer = get(server.address, &path).await;
        assert!(answer.status >= 400 && !answer.text().contains("secret"), "{}", answer.text());
    }
}
