//! Registering platforms, bringing their certificates, refreshing: who may, what is refused, what comes of it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod exchange;
mod full;
mod software;

use collateral_server::Mode;
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use exchange::{get, request};
use full::{
    ADMIN, Full, Home, USER, Upstream, V4, certificate_at, pck_question, platform, url_encoded,
};
use serde_json::{Value, json};
use software::quote;
use software_platform::SoftwarePlatform;
use std::time::SystemTime;
use time::OffsetDateTime;

/// The body with which the platform registers.
fn registration(platform: &SoftwarePlatform) -> Value {
    json!({
        "qe_id": hex::encode(platform.qe_id()),
        "pce_id": "0000",
        "cpu_svn": platform.pck_subject().cpu_svn.to_string(),
        "pce_svn": "0d00",
        "enc_ppid": hex::encode(platform.encrypted_ppid()),
        "platform_manifest": "",
    })
}

/// What a tool makes out of the list of platforms: certificates and collateral for them.
fn collateral(platform: &SoftwarePlatform, platforms: &Value) -> Value {
    let collateral = platform.collateral(&platform.issue(OffsetDateTime::now_utc())).unwrap();
    let signed = |name: &str, json: &str, signature: &[u8]| {
        format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature))
    };
    let tcb_info = signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature);
    let identity =
        signed("enclaveIdentity", &collateral.qe_identity, &collateral.qe_identity_signature);
    let (tcbm, _) = certificate_at(platform, 13);
    let cert = url_encoded(platform.pck_certificate().leaf().pem());
    let of = &platforms[0];
    json!({
        "platforms": platforms,
        "collaterals": {
            "version": 4,
            "pck_certs": [{
                "qe_id": of["qe_id"], "pce_id": of["pce_id"], "enc_ppid": of["enc_ppid"],
                "platform_manifest": "",
                "certs": [{"tcb": {"pcesvn": 13}, "tcbm": tcbm, "cert": cert}],
            }],
            // In text, so that its order stays: that is what is signed.
            "tcbinfos": "TCB_INFOS",
            "pckcacrl": {"platformCrl": hex::encode(&collateral.pck_crl)},
            "qeidentity": identity,
            "certificates": {
                "SGX-PCK-Certificate-Issuer-Chain": {
                    "PLATFORM": url_encoded(platform.pck_certificate().issuer_chain_pem()),
                },
                "TCB-Info-Issuer-Chain": url_encoded(&collateral.tcb_info_issuer_chain),
                "SGX-Enclave-Identity-Issuer-Chain":
                    url_encoded(&collateral.qe_identity_issuer_chain),
            },
            "rootcacrl": hex::encode(&collateral.root_ca_crl),
        },
        "tcb_info": tcb_info,
    })
}

/// The body, as a tool in Python writes it: with a space after each colon and comma.
fn body(collateral: &Value) -> String {
    let tcb_info = collateral["tcb_info"].as_str().unwrap();
    let spaced = tcb_info.replace("\":", "\": ").replace(",\"", ", \"").replace(",{", ", {");
    let infos = format!("[{{\"fmspc\": \"534F46545752\", \"sgx_tcbinfo\": {spaced}}}]");
    collateral.to_string().replace("\"TCB_INFOS\"", &infos)
}

async fn put(server: &Full, body: &str) -> (u16, String) {
    let path = format!("{V4}/platformcollateral");
    let answer = request(server.address, "PUT", &path, &[ADMIN], body.as_bytes()).await;
    (answer.status, answer.text().to_owned())
}

async fn offline(platform: &SoftwarePlatform) -> (Home, Full) {
    let home = Home::trusting(platform);
    let server = home.serve(Mode::Offline, Vec::new()).await;
    (home, server)
}

#[tokio::test]
async fn a_platform_registers_and_an_administrator_brings_all_that_a_verifier_needs() {
    let platform = platform();
    for mode in [Mode::Offline, Mode::Req] {
        let home = Home::trusting(&platform);
        let server = home.serve(mode, Vec::new()).await;
        let question = pck_question(&platform);
        assert_eq!(get(server.address, &question).await.status, 461);
        let (path, form) = (format!("{V4}/platforms"), registration(&platform).to_string());
        let registered = request(server.address, "POST", &path, &[USER], form.as_bytes()).await;
        let (offline, nobody_to_ask) = (200, 404);
        let expected = if mode == Mode::Offline { offline } else { nobody_to_ask };
        assert_eq!(registered.status, expected, "{}", registered.text());
        let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
        assert_eq!(queue.headers["platform-count"], "1");
        let again = request(server.address, "GET", &path, &[ADMIN], b"").await;
        assert_eq!(again.body, queue.body, "a reply that is lost takes nothing with it");
        let platforms: Value = serde_json::from_slice(&queue.body).unwrap();
        assert_eq!(put(&server, &body(&collateral(&platform, &platforms))).await.0, 200);
        let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
        assert_eq!((queue.text(), queue.headers["platform-count"].as_str()), ("[]", "0"));
        assert_eq!(get(server.address, &question).await.status, 200);
        accepted(&server, &platform).await;
        let path = format!("{path}?source=[]");
        let known = request(server.address, "GET", &path, &[ADMIN], b"").await;
        let known: Value = serde_json::from_slice(&known.body).unwrap();
        assert_eq!(known, platforms);
    }
}

/// dcap-qvl finds all it needs there, and believes the platform.
async fn accepted(server: &Full, platform: &SoftwarePlatform) {
    let client = CollateralClient::with_default_http(format!("http://{}", server.address)).unwrap();
    let quote = quote(platform);
    let found = client.fetch(&quote).await.unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let root = platform.root_certificate().der().to_vec();
    assert_eq!(QuoteVerifier::new(root).verify(&quote, &found, now).unwrap().status, "UpToDate");
}

#[tokio::test]
async fn without_the_token_nothing_is_told_or_taken() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let large = "x".repeat(300 * 1024);
    for (method, path, others) in [
        ("POST", "platforms", ADMIN),
        ("GET", "platforms", USER),
        ("GET", "platforms?source=nonsense", USER),
        ("PUT", "platformcollateral", USER),
        ("GET", "refresh", USER),
        ("POST", "refresh?type=nonsense", USER),
    ] {
        let path = format!("{V4}/{path}");
        let wrong = [("user-token", "wrong"), ("admin-token", "wrong")];
        for headers in [&[][..], &[others], &wrong] {
            for body in ["", "{", &large] {
                let answer = request(server.address, method, &path, headers, body.as_bytes()).await;
                assert_eq!(answer.status, 401, "{method} {path} {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let post = async |query: &str, body: &str| {
        let path = format!("{V4}/platforms{query}");
        let answer = request(server.address, "POST", &path, &[USER], body.as_bytes()).await;
        (answer.status, answer.text().to_owned())
    };
    let with = |name: &str, value: Value| {
        let mut form = registration(&platform);
        form[name] = value;
        form.to_string()
    };
    for (query, body, status, word) in [
        ("", String::new(), 400, "body"),
        ("", "{".to_owned(), 400, "body"),
        ("", "[]".to_owned(), 400, "body"),
        ("", "{}".to_owned(), 400, "qe_id"),
        ("", with("qe_id", json!("00")), 400, "qe_id must have 32"),
        ("", with("pce_id", json!("0000000")), 400, "pce_id must have 4"),
        ("", with("pce_id", json!(0)), 400, "body"),
        ("", with("cpu_svn", json!("zz")), 400, "cpu_svn must have 32"),
        ("", with("pce_svn", json!("0d0")), 400, "pce_svn must have 4"),
        ("", with("enc_ppid", json!("00")), 400, "enc_ppid must have 768"),
        ("", with("enc_ppid", json!("")), 400, "all needed"),
        ("", with("cpu_svn", Value::Null), 400, "all needed"),
        ("", with("platform_manifest", json!("x")), 400, "platform_manifest"),
        ("", with("platform_manifest", json!("00".repeat(65_536))), 400, "65535"),
        ("?update=never", registration(&platform).to_string(), 400, "update"),
        ("", with("other", json!("x".repeat(256 * 1024))), 413, "262144"),
        ("?update=all", with("other", json!(1)), 200, ""),
        ("", with("platform_manifest", Value::Null), 200, ""),
    ] {
        let (found, text) = post(query, &body).await;
        assert!(found == status && text.contains(word), "{word}: {found} {text}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_collateral_is_said_and_nothing_of_it_is_kept() {
    let platform = platform();
    let (home, server) = offline(&platform).await;
    let good = collateral(&platform, &json!([registration(&platform)]));
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        body(&changed)
    };
    let chain = "/collaterals/certificates/SGX-PCK-Certificate-Issuer-Chain/PLATFORM";
    let tcb_info = good["tcb_info"].as_str().unwrap();
    let other = software::platform(
        software_platform::SubjectNames::Software,
        software_platform::CertificationKind::EncryptedPpid,
    );
    for (body, status, word) in [
        (String::new(), 400, "body"),
        (with("/collaterals", json!({})), 400, "version"),
        (with("/platforms/0/qe_id", json!("00")), 400, "qe_id"),
        (with("/collaterals/pck_certs/0/certs", json!([])), 400, "no certificate"),
        (with("/collaterals/pck_certs/0/certs/0/cert", json!("x")), 400, "PCK certificate"),
        (with("/collaterals/pck_certs/0/pce_id", json!("0001")), 400, "PCE id"),
        (with("/collaterals/pckcacrl/platformCrl", json!("x")), 400, "CRL"),
        (with(chain, json!("")), 400, "PLATFORM"),
        (with(chain, json!(url_encoded(other.pck_certificate().issuer_chain_pem()))), 460, "root"),
        (with("/collaterals/pckcacrl/platformCrl", json!("3000")), 460, "pck-crl-platform"),
        (
            with("/collaterals/rootcacrl", good["collaterals"]["pckcacrl"]["platformCrl"].clone()),
            460,
            "root-ca-crl",
        ),
        (with("/collaterals/qeidentity", json!("{}")), 460, "identity"),
        (with("/tcb_info", json!(tcb_info.replace("UpToDate", "Revoked"))), 460, "tcb-info-sgx"),
        (body(&good).replace("534F46545752", "000000000000"), 460, "tcb-info"),
    ] {
        let (found, text) = put(&server, &body).await;
        assert!(found == status && text.contains(word), "{word}: {found} {text}");
    }
    assert_eq!(get(server.address, &pck_question(&platform)).await.status, 461);
    assert!(!home.path().join("state/cache").exists());
    assert_eq!(put(&server, &body(&good)).await.0, 200);
    let path = format!("{V4}/platformcollateral");
    let headers = [ADMIN, ("Content-Length", "33554433")];
    assert_eq!(request(server.address, "PUT", &path, &headers, b"").await.status, 413);
}

#[tokio::test]
async fn platforms_are_listed_by_their_kind() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let good = collateral(&platform, &json!([registration(&platform)]));
    assert_eq!(put(&server, &body(&good)).await.0, 200);
    let list = async |source: &str| {
        let path = format!("{V4}/platforms?source={source}");
        request(server.address, "GET", &path, &[ADMIN], b"").await
    };
    for (source, count) in [
        ("[]", 1),
        ("[534F46545752]", 1),
        ("[000000000000,%20534f46545752]", 1),
        ("[000000000000]", 0),
        ("reg", 0),
        ("reg_na", 0),
    ] {
        let answer = list(source).await;
        let rows: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, rows.len()), (200, count), "{source}");
        assert_eq!(answer.headers["platform-count"], count.to_string());
    }
    for source in ["all", "[", "[12]", "[534F46545752,]"] {
        assert_eq!(list(source).await.status, 400, "{source}");
    }
}

#[tokio::test]
async fn a_refresh_fetches_again_and_says_when_it_cannot() {
    let platform = platform();
    let upstream = Upstream::of(&platform).await;
    let home = Home::trusting(&platform);
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    let refresh = async |method: &str, query: &str| {
        let path = format!("{V4}/refresh{query}");
        request(server.address, method, &path, &[ADMIN], b"").await.status
    };
    for path in [pck_question(&platform), format!("{V4}/qe/identity"), format!("{V4}/rootcacrl")] {
        assert_eq!(get(server.address, &path).await.status, 200);
    }
    for (method, query, asked) in [
        ("GET", "", 2),
        ("POST", "", 2),
        ("POST", "?type=certs&fmspc=", 1),
        ("POST", "?type=certs&fmspc=534F46545752", 1),
        ("POST", "?type=certs&fmspc=[534F46545752,%20000000000000]", 1),
        ("POST", "?type=certs&fmspc=000000000000", 0),
    ] {
        let before = upstream.asked();
        assert_eq!(refresh(method, query).await, 200, "{query}");
        assert_eq!(upstream.asked() - before, asked, "{query}");
    }
    assert_eq!(refresh("POST", "?type=other").await, 400);
    assert_eq!(refresh("POST", "?type=certs&fmspc=12").await, 400);
    upstream.set_down(true);
    assert_eq!(refresh("POST", "").await, 503);
    assert_eq!(refresh("POST", "?type=certs").await, 503);
    assert_eq!(get(server.address, &format!("{V4}/qe/identity")).await.status, 200);
    let (_home, server) = offline(&platform).await;
    let path = format!("{V4}/refresh");
    assert_eq!(request(server.address, "POST", &path, &[ADMIN], b"").await.status, 503);
}
