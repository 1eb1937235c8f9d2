//! The API, byte by byte over a socket.

use std::time::Duration;

use software_platform::{CertificationKind, SubjectNames};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::exchange::{self, Answer};
use crate::full::{self, V4};
use crate::software::{Server, platform, serve, serve_at};

const CHAIN_START: &str = "-----BEGIN%20CERTIFICATE-----%0A";

async fn server() -> Server {
    serve(platform(SubjectNames::Software, CertificationKind::EncryptedPpid)).await
}

async fn get(server: &Server, path: &str) -> Answer {
    exchange::get(server.address, path).await
}

async fn exchange(server: &Server, request: &str) -> Answer {
    exchange::exchange(server.address, request.as_bytes()).await
}

/// The request for the PCK certificate of the platform behind the server.
fn pck_request() -> String {
    full::pck_request(&platform(SubjectNames::Software, CertificationKind::EncryptedPpid))
}

#[tokio::test]
async fn the_pck_certificate_comes_with_its_chain_and_tcb() {
    let answer = get(&server().await, &pck_request()).await;
    let subject = platform(SubjectNames::Software, CertificationKind::EncryptedPpid).pck_subject();
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(answer.text().matches("BEGIN").count(), 1);
    let tcbm = format!("{}0D00", hex::encode_upper(subject.cpu_svn.0));
    assert_eq!(answer.headers["sgx-tcbm"], tcbm);
    assert_eq!(answer.headers["sgx-fmspc"], hex::encode_upper(subject.fmspc));
    assert_eq!(answer.headers["sgx-pck-certificate-ca-type"], "platform");
    assert_eq!(answer.headers["content-type"], "application/x-pem-file");
    let chain = &answer.headers["sgx-pck-certificate-issuer-chain"];
    assert!(chain.starts_with(CHAIN_START) && chain.matches("BEGIN").count() == 2);
    assert!(!chain.contains(['+', '/', '=', ' ']), "{chain}");
}

#[tokio::test]
async fn the_encrypted_ppid_may_be_left_out() {
    let question = pck_request();
    let (before, after) = question.split_once("&encrypted_ppid=").unwrap();
    let (_, after) = after.split_once('&').unwrap();
    assert_eq!(get(&server().await, &format!("{before}&{after}")).await.status, 200);
}

#[tokio::test]
async fn an_unknown_platform_or_tcb_has_a_status_of_its_own() {
    let (server, question) = (server().await, pck_request());
    let (start, qe_id) = question.split_once("qeid=").unwrap();
    let unknown = format!("{start}qeid={}{}", "0".repeat(32), &qe_id[32..]);
    assert_eq!(get(&server, &unknown).await.status, 461);
    let newer = get(&server, &question.replace("pcesvn=0d00", "pcesvn=0e00")).await;
    assert_eq!((newer.status, newer.text().contains("TCB")), (462, true));
}

#[tokio::test]
async fn crls_have_the_requested_encoding() {
    let server = server().await;
    let der = get(&server, &format!("{V4}/pckcrl?ca=platform&encoding=der")).await;
    assert_eq!((der.status, der.body[0]), (200, 0x30));
    assert_eq!(der.headers["content-type"], "application/pkix-crl");
    assert!(der.headers["sgx-pck-crl-issuer-chain"].starts_with(CHAIN_START));
    let plain = get(&server, &format!("{V4}/pckcrl?ca=PLATFORM")).await;
    assert_eq!(plain.text(), hex::encode(&der.body));
    let pem = get(&server, &format!("{V4}/pckcrl?encoding=PEM&ca=platform")).await;
    let parsed = pem::parse(pem.text()).unwrap();
    assert_eq!((parsed.tag(), parsed.contents()), ("X509 CRL", &der.body[..]));
    assert_eq!(get(&server, &format!("{V4}/pckcrl?ca=processor")).await.status, 200);
}

#[tokio::test]
async fn distribution_points_lead_to_der() {
    let server = server().await;
    let root = get(&server, "/SGXRootCA.der").await;
    let hex_root = get(&server, &format!("{V4}/rootcacrl")).await;
    assert_eq!((root.status, hex_root.text()), (200, hex::encode(&root.body).as_str()));
    let by_uri = async |uri: &str| get(&server, &format!("{V4}/crl?uri={uri}")).await;
    let found = by_uri("http%3A%2F%2Flocalhost%3A8081%2FSGXRootCA.der").await;
    assert_eq!(found.body, root.body);
    let pck = "http%3A%2F%2Fx%2Fsgx%2Fcertification%2Fv4%2Fpckcrl%3Fca%3Dplatform%26encoding%3Dder";
    let der = get(&server, &format!("{V4}/pckcrl?ca=platform&encoding=der")).await;
    assert_eq!(by_uri(pck).await.body, der.body);
    assert_eq!(by_uri("http%3A%2F%2Fx%2Fother").await.status, 400);
    assert_eq!(by_uri("https://x/IntelSGXRootCA.crl").await.body, root.body);
}

#[tokio::test]
async fn a_crl_is_found_as_azures_client_asks_for_it() {
    let server = server().await;
    let by_uri = async |uri: &str| {
        let parameters = "clientid=production_client&api-version=2020-02-12-preview";
        get(&server, &format!("{V4}/pckcrl?uri={uri}&{parameters}")).await
    };
    let root = "https%253a%252f%252fcertificates.trustedservices.intel.com%252fintelsgxrootca.crl";
    let root = by_uri(root).await;
    assert_eq!((root.status, pem::parse(root.text()).unwrap().tag()), (200, "X509 CRL"));
    let platform = "https%253a%252f%252fsbx.api.trustedservices.intel.com%252fsgx%252fcertification\
                    %252fv3%252fpckcrl%253fca%253dplatform%2526encoding%253dpem";
    let platform = by_uri(platform).await;
    let pem = get(&server, &format!("{V4}/pckcrl?ca=platform&encoding=pem")).await;
    assert_eq!((platform.status, &platform.body), (200, &pem.body));
    assert!(platform.headers["sgx-pck-crl-issuer-chain"].starts_with(CHAIN_START));
    assert_eq!(by_uri("https%253a%252f%252fx%252fother").await.status, 400);
}

#[tokio::test]
async fn requests_in_the_forms_of_a_pccs_are_the_same() {
    let server = server().await;
    let tcb = get(&server, &format!("{V4}/tcb?fmspc=534F46545752")).await;
    assert_eq!(tcb.status, 200);
    for target in [
        "/SGX/Certification/V4/TCB?fmspc=534f46545752",
        "/sgx/certification/v4/tcb/?fmspc=534F46545752&fmspc=000000000000",
        "/sgx/certification/v4/tcb?other=1&fmspc=534F46545752&update=standard&update=early",
    ] {
        let found = get(&server, target).await;
        assert_eq!((found.status, &found.body), (200, &tcb.body), "{target}: {}", found.text());
    }
    let head = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let head = exchange(&server, &format!("HEAD {V4}/tcb?fmspc=534F46545752 {head}")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers["content-length"], tcb.body.len().to_string());
}

#[tokio::test]
async fn signed_json_is_served_unchanged() {
    let server = server().await;
    let tcb = get(&server, &format!("{V4}/tcb?fmspc=534F46545752&update=early")).await;
    assert_eq!(tcb.headers["content-type"], "application/json");
    assert!(tcb.headers["tcb-info-issuer-chain"].starts_with(CHAIN_START));
    let (start, end) = ("{\"tcbInfo\":{\"id\":\"SGX\",\"version\":3,", "}],\"signature\":\"");
    assert!(tcb.text().starts_with(start), "{}", tcb.text());
    assert!(tcb.text().contains(&end.replace("],", "]},")), "{}", tcb.text());
    let qe = get(&server, &format!("{V4}/qe/identity")).await;
    assert!(qe.text().starts_with("{\"enclaveIdentity\":{\"id\":\"QE\",\"version\":2,"));
    assert!(qe.headers["sgx-enclave-identity-issuer-chain"].starts_with(CHAIN_START));
    let unknown = get(&server, &format!("{V4}/tcb?fmspc=000000000000")).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let (server, question) = (server().await, pck_request());
    for (path, name) in [
        (format!("{V4}/tcb"), "fmspc"),
        (format!("{V4}/tcb?fmspc=12"), "fmspc"),
        (format!("{V4}/tcb?fmspc=zzzzzzzzzzzz"), "fmspc"),
        (format!("{V4}/tcb?fmspc=12&fmspc=534F46545752"), "fmspc"),
        (format!("{V4}/tcb?fmspc=534F46545752&update=never"), "update"),
        (format!("{V4}/qe/identity?update=early&tcbEvaluationDataNumber=1"), "not both"),
        (format!("{V4}/qe/identity?tcbEvaluationDataNumber=-1"), "tcbEvaluationDataNumber"),
        (format!("{V4}/pckcrl"), "ca"),
        (format!("{V4}/pckcrl?ca=other"), "platform or processor"),
        (format!("{V4}/pckcrl?ca=platform&encoding=txt"), "der or pem"),
        (format!("{V4}/crl"), "uri"),
        (question.replace("pcesvn=0d00", "pcesvn=0d"), "pcesvn"),
        (question.replace("encrypted_ppid=", "encrypted_ppid=00"), "encrypted_ppid"),
    ] {
        let answer = get(&server, &path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains(name), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn other_paths_methods_and_versions_are_refused() {
    let server = server().await;
    assert_eq!(get(&server, "/nothing").await.status, 404);
    assert_eq!(get(&server, &format!("{V4}/pckcerts")).await.status, 404);
    let v3 = get(&server, "/sgx/certification/v3/qe/identity").await;
    assert_eq!((v3.status, v3.text().contains("v4")), (410, true));
    let head = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let post = exchange(&server, &format!("POST {V4}/rootcacrl {head}")).await;
    assert_eq!((post.status, post.headers["allow"].as_str()), (405, "GET,HEAD"));
}

#[tokio::test]
async fn internal_failures_are_not_disclosed() {
    // Collateral cannot be issued at a time before 1970.
    let platform = platform(SubjectNames::Software, CertificationKind::PckCertificateChain);
    let server = serve_at(platform, || OffsetDateTime::UNIX_EPOCH - Duration::from_secs(1)).await;
    let answer = get(&server, &format!("{V4}/qe/identity")).await;
    assert_eq!(answer.status, 502);
    assert!(!answer.text().contains("19"), "{}", answer.text());
}

#[tokio::test]
async fn each_response_has_its_own_request_id() {
    let server = server().await;
    let (found, missing) = (get(&server, "/SGXRootCA.der").await, get(&server, "/").await);
    let ids = [&found.headers["request-id"], &missing.headers["request-id"]];
    assert!(ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn large_headers_and_long_queries_are_rejected() {
    let server = server().await;
    let long = format!("{V4}/tcb?fmspc={}", "0".repeat(32 * 1024));
    assert_eq!(get(&server, &long).await.status, 431);
    let padding = "x".repeat(32 * 1024);
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nPadding: {padding}\r\n\r\n");
    assert_eq!(exchange(&server, &request).await.status, 431);
}

/// The clock runs to the next deadline whenever nothing else can happen.
#[tokio::test(start_paused = true)]
async fn incomplete_requests_time_out_after_ten_seconds() {
    let server = server().await;
    for half in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let start = tokio::time::Instant::now();
        stream.write_all(half.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(11), "{half:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_new_connection_replaces_the_longest_idle_one() {
    let server = server().await;
    let mut idle = Vec::new();
    for _ in 0..256 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let further = timeout(Duration::from_secs(5), get(&server, "/SGXRootCA.der")).await;
    assert_eq!(further.unwrap().status, 200);
    assert_eq!(idle[0].read(&mut [0]).await.unwrap_or(0), 0);
    idle[255].write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle[255].read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(1), server.stopped).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
