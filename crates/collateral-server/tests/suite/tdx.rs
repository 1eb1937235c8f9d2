//! Requests for trust domains are passed on, and their responses stored.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::http::Uri;
use axum::routing::get as getting;
use collateral_server::Mode;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::exchange::get;
use crate::full::{Home, Upstream, V4, answer, url_encoded};

const TDX_V4: &str = "/tdx/certification/v4";

/// A signer of TCB info below a root.
struct Signer {
    key: KeyPair,
    chain: String,
    root: String,
}

impl Signer {
    fn new() -> Self {
        let params = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let mut root_params = params("Test SGX Root CA");
        root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate().unwrap();
        let root = root_params.self_signed(&root_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(root_params, root_key);
        let key = KeyPair::generate().unwrap();
        let leaf = params("Test SGX TCB Signing").signed_by(&key, &issuer).unwrap().pem();
        Self { key, chain: leaf + &root, root }
    }

    fn sign(&self, name: &str, json: &str) -> String {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.key.serialize_der()).unwrap();
        let signature = key.sign(&SystemRandom::new(), json.as_bytes()).unwrap();
        format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature))
    }
}

fn dates() -> String {
    let date = |days: i64| {
        let date = OffsetDateTime::now_utc() + time::Duration::days(days);
        date.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap()
    };
    format!("\"issueDate\":\"{}\",\"nextUpdate\":\"{}\"", date(-1), date(29))
}

fn tcb_info(id: &str) -> String {
    let components = vec!["{\"svn\":1}"; 16].join(",");
    let (mr_signer, attributes) = ("00".repeat(48), "00".repeat(8));
    format!(
        "{{\"id\":\"{id}\",\"version\":3,{},\"fmspc\":\"00806F050000\",\"pceId\":\"0000\",\"tcbType\":0,\
         \"tcbEvaluationDataNumber\":17,\"tdxModule\":{{\"mrsigner\":\"{mr_signer}\",\
         \"attributes\":\"{attributes}\",\"attributesMask\":\"{attributes}\"}},\"tcbLevels\":[{{\"tcb\":\
         {{\"sgxtcbcomponents\":[{components}],\"pcesvn\":11,\"tdxtcbcomponents\":[{components}]}},\
         \"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}}]}}",
        dates()
    )
}

fn identity(id: &str) -> String {
    let zeros = |bytes: usize| "00".repeat(bytes);
    format!(
        "{{\"id\":\"{id}\",\"version\":2,{},\"tcbEvaluationDataNumber\":17,\"miscselect\":\"{}\",\
         \"miscselectMask\":\"{}\",\"attributes\":\"{}\",\"attributesMask\":\"{}\",\"mrsigner\":\"{}\",\
         \"isvprodid\":2,\"tcbLevels\":[{{\"tcb\":{{\"isvsvn\":4}},\"tcbDate\":\"2024-03-13T00:00:00Z\",\
         \"tcbStatus\":\"UpToDate\"}}]}}",
        dates(),
        zeros(4),
        zeros(4),
        zeros(16),
        zeros(16),
        zeros(32)
    )
}

/// A service with this TCB info and this identity, at the paths of TDX.
async fn upstream(signer: &Signer, tcb_id: &str, enclave: &str) -> Upstream {
    let chain = url_encoded(&signer.chain);
    let serving = |header: &'static str, body: String| {
        let chain = chain.clone();
        getting(async move |uri: Uri| {
            assert!(!uri.query().unwrap_or_default().contains("encrypted_ppid"));
            answer(&[(header, chain.clone())], body.clone())
        })
    };
    let info = serving("tcb-info-issuer-chain", signer.sign("tcbInfo", &tcb_info(tcb_id)));
    let identity = signer.sign("enclaveIdentity", &identity(enclave));
    let identity = serving("sgx-enclave-identity-issuer-chain", identity);
    let router = Router::new()
        .route(&format!("{TDX_V4}/tcb"), info)
        .route(&format!("{TDX_V4}/qe/identity"), identity.clone())
        .route(&format!("{V4}/qve/identity"), identity);
    Upstream::with(router).await
}

#[tokio::test]
async fn tcb_info_and_identity_of_tdx_are_stored() {
    let signer = Signer::new();
    let upstream = upstream(&signer, "TDX", "TD_QE").await;
    let home = Home::trusting_root(&signer.root);
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    let paths = ["tcb?fmspc=00806F050000", "qe/identity", "qe/identity?update=early"];
    for is_down in [false, true] {
        upstream.set_down(is_down);
        for path in paths.map(|path| format!("{TDX_V4}/{path}")) {
            let found = get(server.address, &path).await;
            assert_eq!(found.status, 200, "{path}: {}", found.text());
            let name = if path.contains("tcb") { "tcb-info" } else { "sgx-enclave-identity" };
            assert!(found.headers[&format!("{name}-issuer-chain")].starts_with("-----BEGIN%20"));
            assert!(found.text().contains("TD"), "{path}");
        }
    }
    // This service has no collateral of SGX.
    upstream.set_down(false);
    let sgx = get(server.address, &format!("{V4}/tcb?fmspc=00806F050000")).await;
    assert_eq!(sgx.status, 404);
}

#[tokio::test]
async fn sgx_collateral_is_not_taken_for_tdx() {
    let signer = Signer::new();
    let upstream = upstream(&signer, "SGX", "QE").await;
    let home = Home::trusting_root(&signer.root);
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    for path in ["tcb?fmspc=00806F050000", "qe/identity"] {
        assert_eq!(get(server.address, &format!("{TDX_V4}/{path}")).await.status, 502, "{path}");
    }
}

#[tokio::test]
async fn the_identity_of_the_quote_verification_enclave_is_served() {
    let signer = Signer::new();
    let upstream = upstream(&signer, "TDX", "QVE").await;
    let home = Home::trusting_root(&signer.root);
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    let found = get(server.address, &format!("{V4}/qve/identity")).await;
    assert_eq!((found.status, found.text().contains("\"QVE\"")), (200, true));
}
