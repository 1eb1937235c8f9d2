//! The software platform as a PCS, with the paths, parameters and headers of Intel's `pccsadmin
//! fetch` and Intel's PCCS (mode LAZY).

use std::net::SocketAddr;
use std::sync::Arc;

use collateral::PcsKind;
use collateral::settings::Serves;
use collateral_server::{Mode, SoftwareCollateral, software_pcs_router};
use serde_json::{Value, json};
use software_platform::SoftwarePlatform;
use time::OffsetDateTime;

use crate::exchange::{Answer, get, request};
use crate::full;
use crate::full::{Home, Upstream, V4, pck_request, platform};

const TDX_V4: &str = "/tdx/certification/v4";
const FMSPC: &str = "534F46545752";

async fn pcs(platform: &Arc<SoftwarePlatform>) -> Upstream {
    let source = SoftwareCollateral::new(Arc::clone(platform), OffsetDateTime::now_utc);
    Upstream::with(software_pcs_router(Arc::new(source))).await
}

fn certificates_question(platform: &SoftwarePlatform) -> String {
    format!("{V4}/pckcerts?encrypted_ppid={}&pceid=0000", hex::encode(platform.encrypted_ppid()))
}

async fn json_of(server: SocketAddr, path: &str, chain: &str) -> Value {
    let answer = get(server, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.headers["content-type"], "application/json", "{path}");
    assert!(answer.headers.contains_key("request-id"), "{path}");
    let chain = answer.headers.get(chain);
    assert!(chain.is_some_and(|chain| chain.matches("BEGIN").count() == 2), "{path}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// `pccsadmin fetch -t all`, in its order.
#[tokio::test]
async fn pccsadmin_finds_all_that_it_fetches() {
    let platform = platform();
    let upstream = pcs(&platform).await;
    let server = upstream.address;
    for ca in ["processor", "platform"] {
        let crl = get(server, &format!("{V4}/pckcrl?ca={ca}&encoding=der")).await;
        assert_eq!((crl.status, crl.body[0]), (200, 0x30));
        assert_eq!(crl.headers["sgx-pck-crl-issuer-chain"].matches("BEGIN").count(), 2);
    }
    let chain = "sgx-pck-certificate-issuer-chain";
    let certificates = json_of(server, &certificates_question(&platform), chain).await;
    let subject = platform.pck_subject();
    let listed = &certificates[0];
    assert_eq!(certificates.as_array().unwrap().len(), 1);
    assert_eq!(listed["tcb"]["sgxtcbcomp01svn"], subject.cpu_svn.0[0]);
    assert_eq!(listed["tcb"]["sgxtcbcomp16svn"], subject.cpu_svn.0[15]);
    assert_eq!(listed["tcb"]["pcesvn"], 13);
    assert_eq!(listed["tcbm"], format!("{}0D00", hex::encode_upper(subject.cpu_svn.0)));
    let pem = full::url_encoded(platform.pck_certificate().leaf().pem());
    let plain = |text: &str| text.replace("%2D", "-");
    assert_eq!(plain(listed["cert"].as_str().unwrap()), plain(&pem));
    let fmspcs = get(server, &format!("{V4}/fmspcs?platform=all")).await;
    assert_eq!(fmspcs.text(), format!(r#"[{{"fmspc":"{FMSPC}","platform":"E5"}}]"#));
    for update in ["standard", "early"] {
        let tcb = format!("tcb?fmspc={}&update={update}", FMSPC.to_lowercase());
        let tcb_info = json_of(server, &format!("{V4}/{tcb}"), "tcb-info-issuer-chain").await;
        assert_eq!(tcb_info["tcbInfo"]["id"], "SGX");
        // Optional for the tool: the platform makes no quotes of TDX.
        assert_eq!(get(server, &format!("{TDX_V4}/{tcb}")).await.status, 404);
        for (path, id) in [
            (format!("{V4}/qe/identity"), "QE"),
            (format!("{TDX_V4}/qe/identity"), "TD_QE"),
            (format!("{V4}/qve/identity"), "QVE"),
        ] {
            let path = format!("{path}?update={update}");
            let identity = json_of(server, &path, "sgx-enclave-identity-issuer-chain").await;
            assert_eq!(identity["enclaveIdentity"]["id"], id);
        }
    }
}

/// PCCS takes the kind of the platform and its CA from headers, and follows the root's CRL.
#[tokio::test]
async fn pccs_finds_what_it_keeps_in_mode_lazy() {
    let platform = platform();
    let upstream = pcs(&platform).await;
    let server = upstream.address;
    let headers = [("ocp-apim-subscription-key", "x"), ("user-agent", "got")];
    let path = certificates_question(&platform);
    let answer = request(server, "GET", &path, &headers, b"").await;
    assert_eq!(answer.headers["sgx-fmspc"], FMSPC);
    assert_eq!(answer.headers["sgx-pck-certificate-ca-type"], "platform");
    let der = get(server, "/IntelSGXRootCA.der").await;
    assert_eq!(der.body, get(server, "/SGXRootCA.der").await.body);
    assert_eq!(der.status, 200);
}

/// The request as Intel documents it, without a QE id, and as clients send it to a PCCS.
#[tokio::test]
async fn one_certificate_is_found_by_encrypted_ppid_or_qe_id() {
    let platform = platform();
    let upstream = pcs(&platform).await;
    let question = pck_request(&platform);
    let (_, by_ppid) = question.split_once("&encrypted_ppid=").unwrap();
    let by_ppid = format!("{V4}/pckcert?encrypted_ppid={by_ppid}");
    for path in [&question, &by_ppid] {
        let answer = get(upstream.address, path).await;
        assert_eq!(answer.text(), platform.pck_certificate().leaf().pem(), "{path}");
    }
    let stranger = full::machine([10; 32]).encrypted_ppid();
    let own = hex::encode(platform.encrypted_ppid());
    let by_stranger = by_ppid.replace(&own, &hex::encode(stranger));
    let newer = by_ppid.replace("pcesvn=0d00", "pcesvn=0e00");
    let nobody = by_ppid.replace(&format!("encrypted_ppid={own}&"), "");
    for (path, status) in [(by_stranger, 404), (newer, 462), (nobody, 400)] {
        assert_eq!(get(upstream.address, &path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn certificates_of_a_configuration_are_those_at_its_cpusvn() {
    let platform = platform();
    let upstream = pcs(&platform).await;
    let server = upstream.address;
    let question = certificates_question(&platform).replace("pckcerts", "pckcerts/config");
    let (here, elsewhere) = (platform.pck_subject().cpu_svn.to_string(), "00".repeat(16));
    for (cpu_svn, status) in [(here, 200), (elsewhere, 404)] {
        assert_eq!(get(server, &format!("{question}&cpusvn={cpu_svn}")).await.status, status);
    }
}

#[tokio::test]
async fn unknown_platforms_get_no_certificate() {
    let platform = platform();
    let upstream = pcs(&platform).await;
    let server = upstream.address;
    let status = async |path: String| get(server, &path).await.status;
    let of =
        |ppid: &str, pce_id: &str| format!("{V4}/pckcerts?encrypted_ppid={ppid}&pceid={pce_id}");
    let known = hex::encode(platform.encrypted_ppid());
    let stranger = hex::encode(full::machine([10; 32]).encrypted_ppid());
    assert_eq!(status(of(&stranger, "0000")).await, 404);
    assert_eq!(status(of(&"0".repeat(768), "0000")).await, 404);
    assert_eq!(status(of(&known, "0001")).await, 404);
    assert_eq!(status(of("00", "0000")).await, 400);
    assert_eq!(status(format!("{V4}/pckcerts")).await, 400);
    assert_eq!(status(format!("{V4}/fmspcs?platform=E3")).await, 200);
    assert_eq!(status(format!("{V4}/fmspcs?platform=E4")).await, 400);
    let body = json!({ "platformManifest": "00", "pceid": "0000" }).to_string();
    let headers = [("content-type", "application/json")];
    let path = format!("{V4}/pckcerts");
    let by_manifest: Answer = request(server, "POST", &path, &headers, body.as_bytes()).await;
    assert_eq!(by_manifest.status, 404);
    assert!(by_manifest.text().contains("no platform manifest"), "{}", by_manifest.text());
}

/// The collateral server with it as source checks each response before it stores it.
#[tokio::test]
async fn a_caching_service_stores_all_items() {
    let platform = platform();
    let pcs = pcs(&platform).await;
    let home = Home::trusting(&platform);
    let sources = vec![
        pcs.source(PcsKind::Pcs, Serves::PckCertificates),
        pcs.source(PcsKind::Pccs, Serves::Collateral),
    ];
    let server = home.serve(Mode::Lazy, sources).await;
    for path in [
        pck_request(&platform),
        format!("{V4}/pckcrl?ca=processor"),
        format!("{V4}/qve/identity"),
        format!("{TDX_V4}/qe/identity"),
        format!("{V4}/rootcacrl"),
    ] {
        let answer = get(server.address, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}
