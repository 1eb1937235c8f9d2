//! Registration of platforms, upload of their certificates, and refresh: permissions, errors and
//! results.

use collateral_server::Mode;
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use serde_json::{Value, json};
use software_platform::SoftwarePlatform;
use std::time::SystemTime;

use crate::exchange::{get, request};
use crate::full;
use crate::full::{ADMIN, Full, Home, USER, V4, pck_request, platform};
use crate::software::quote;
use crate::upload::{body, collateral, offline, put, registration};

#[tokio::test]
async fn uploaded_collateral_of_a_registered_platform_serves_verifiers() {
    let platform = platform();
    for mode in [Mode::Offline, Mode::Req] {
        let home = Home::trusting(&platform);
        let server = home.serve(mode, Vec::new()).await;
        let question = pck_request(&platform);
        assert_eq!(get(server.address, &question).await.status, 461);
        let (path, form) = (format!("{V4}/platforms"), registration(&platform).to_string());
        let registered = request(server.address, "POST", &path, &[USER], form.as_bytes()).await;
        let (offline, nobody_to_ask) = (200, 404);
        let expected = if mode == Mode::Offline { offline } else { nobody_to_ask };
        assert_eq!(registered.status, expected, "{}", registered.text());
        let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
        assert_eq!(queue.headers["platform-count"], "1");
        let again = request(server.address, "GET", &path, &[ADMIN], b"").await;
        assert_eq!(again.body, queue.body, "a lost response loses no registration");
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

/// Verifies a quote by dcap-qvl with the collateral of the server.
async fn accepted(server: &Full, platform: &SoftwarePlatform) {
    let client = CollateralClient::with_default_http(format!("http://{}", server.address)).unwrap();
    let quote = quote(platform);
    let found = client.fetch(&quote).await.unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let root = platform.root_certificate().der().to_vec();
    assert_eq!(QuoteVerifier::new(root).verify(&quote, &found, now).unwrap().status, "UpToDate");
}

#[tokio::test]
async fn requests_without_the_token_are_rejected() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let large = "x".repeat(300 * 1024);
    for (method, path, others) in [
        ("POST", "platforms", ADMIN),
        ("GET", "platforms", USER),
        ("GET", "platforms?source=nonsense", USER),
        ("PUT", "platformcollateral", USER),
        ("PUT", "appraisalpolicy", USER),
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
async fn errors_of_a_registration_are_named() {
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
        ("", with("qe_id", json!("")), 400, "qe_id must have 32"),
        ("", with("qe_id", json!("a".repeat(261))), 400, "260"),
        ("", with("qe_id", json!(null)), 400, "in qe_id"),
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
async fn a_refresh_refetches_and_reports_failures() {
    let platform = platform();
    let (upstream, _home, server) = full::lazy(&platform).await;
    let refresh = async |method: &str, query: &str| {
        let path = format!("{V4}/refresh{query}");
        request(server.address, method, &path, &[ADMIN], b"").await.status
    };
    for path in [pck_request(&platform), format!("{V4}/qe/identity"), format!("{V4}/rootcacrl")] {
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

#[tokio::test]
async fn a_platform_may_register_by_another_name() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let (path, mut form) = (format!("{V4}/platforms"), registration(&platform));
    // The bytes of a name in hexadecimal, as PCKIDRetrievalTool sends them.
    form["qe_id"] = json!(hex::encode("rack 7/node 3"));
    let form = form.to_string();
    assert_eq!(request(server.address, "POST", &path, &[USER], form.as_bytes()).await.status, 200);
    let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
    let platforms: Value = serde_json::from_slice(&queue.body).unwrap();
    assert_eq!(platforms[0]["qe_id"], hex::encode_upper("rack 7/node 3"));
    assert_eq!(put(&server, &body(&collateral(&platform, &platforms))).await.0, 200);
    let queue = request(server.address, "GET", &path, &[ADMIN], b"").await;
    assert_eq!(queue.text(), "[]");
    let question = pck_request(&platform);
    assert_eq!(get(server.address, &question).await.status, 461);
    let qe_id = hex::encode_upper(platform.qe_id());
    let question = question.replace(&qe_id, &hex::encode("rack 7/node 3"));
    assert_eq!(get(server.address, &question).await.status, 200);
    let known = request(server.address, "GET", &format!("{path}?source=[]"), &[ADMIN], b"").await;
    assert!(known.text().contains(&hex::encode_upper("rack 7/node 3")), "{}", known.text());
}

#[tokio::test]
async fn stored_collateral_is_found_by_its_tcb_evaluation_data_number() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let good = collateral(&platform, &json!([registration(&platform)]));
    assert_eq!(put(&server, &body(&good)).await.0, 200);
    for path in ["tcb?fmspc=534F46545752", "qe/identity?"] {
        let standard = get(server.address, &format!("{V4}/{path}")).await;
        let (_, number) = standard.text().split_once("\"tcbEvaluationDataNumber\":").unwrap();
        let number: u32 = number[..number.find(',').unwrap()].parse().unwrap();
        let by_number = async |number: u32| {
            let path = format!("{V4}/{path}&tcbEvaluationDataNumber={number}");
            get(server.address, &path).await
        };
        let found = by_number(number).await;
        assert_eq!((found.status, found.body), (200, standard.body), "{path}");
        assert_eq!(by_number(number + 1).await.status, 404, "{path}");
    }
}
