//! `PUT platformcollateral`: files of Intel's tools, and invalid files.

use serde_json::{Value, json};
use software_platform::SoftwarePlatform;

use crate::exchange::{get, request};
use crate::full;
use crate::full::{ADMIN, V4, pck_request, platform, url_encoded};
use crate::software;
use crate::upload::{body, collateral, offline, put, registration};

const LEFT_OUT: &str = "left out: collaterals.pckcacrl.processorCrl";

/// A file as `PcsClientTool fetch` writes it: both CRLs, the chains of the file's platforms alone,
/// and empty texts for what has not been fetched.
fn fetched(platform: &SoftwarePlatform) -> Value {
    let mut file = collateral(platform, &json!([registration(platform)]));
    let crl = file["collaterals"]["pckcacrl"]["platformCrl"].clone();
    file["collaterals"]["pckcacrl"]["processorCrl"] = crl;
    file["collaterals"]["rootcacrl_cdp"] = json!("https://localhost/root.crl");
    file["collaterals"]["tdqeidentity"] = json!("");
    file["collaterals"]["qveidentity"] = json!("");
    file["platforms"][0]["pckid_filename"] = json!("pckid_retrieval");
    file["platforms"][0]["platform_manifest"] = Value::Null;
    file["collaterals"]["pck_certs"][0]["platform_manifest"] = Value::Null;
    file
}

/// A file as `PcsClientTool fetch -c` writes it: CRLs alone.
fn crls_alone(platform: &SoftwarePlatform) -> Value {
    let mut file = fetched(platform);
    file["platforms"] = json!([]);
    file["collaterals"]["pck_certs"] = json!([]);
    file["collaterals"]["tcbinfos"] = json!([]);
    file["collaterals"]["qeidentity"] = json!("");
    file["collaterals"]["certificates"] = json!({
        "SGX-PCK-Certificate-Issuer-Chain": {},
        "TCB-Info-Issuer-Chain": "",
        "SGX-Enclave-Identity-Issuer-Chain": "",
    });
    file
}

/// The status of a GET below the API's path.
async fn status(server: &full::Full, path: &str) -> u16 {
    get(server.address, &format!("{V4}/{path}")).await.status
}

#[tokio::test]
async fn a_crl_without_a_chain_is_left_out_and_the_rest_is_kept() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    let (found, text) = put(&server, &body(&fetched(&platform))).await;
    assert_eq!((found, text.contains(LEFT_OUT)), (200, true), "{text}");
    assert!(!text.contains("platformCrl"), "{text}");
    for (path, expected) in [
        ("pckcrl?ca=platform", 200),
        ("pckcrl?ca=processor", 404),
        ("rootcacrl", 200),
        ("tcb?fmspc=534f46545752", 200),
        ("qe/identity", 200),
    ] {
        assert_eq!(status(&server, path).await, expected, "{path}");
    }
    assert_eq!(get(server.address, &pck_request(&platform)).await.status, 200);
}

#[tokio::test]
async fn crls_alone_are_checked_by_the_chains_that_are_kept() {
    let platform = platform();
    let file = crls_alone(&platform);
    let file_alone = file.to_string();
    let (_home, server) = offline(&platform).await;
    // No stored item has a chain yet.
    let (found, text) = put(&server, &file_alone).await;
    assert_eq!(found, 200, "{text}");
    assert!(text.contains("processorCrl") && text.contains("platformCrl"), "{text}");
    assert_eq!(status(&server, "pckcrl?ca=platform").await, 404);
    assert_eq!(status(&server, "rootcacrl").await, 200);
    // First with the chain of a platform, then with that of the stored CRL.
    let mut without_crls = fetched(&platform);
    without_crls["collaterals"]["pckcacrl"] = json!({});
    assert_eq!(put(&server, &body(&without_crls)).await, (200, "done".to_owned()));
    for _ in 0..2 {
        let (found, text) = put(&server, &file_alone).await;
        assert_eq!((found, text.contains(LEFT_OUT)), (200, true), "{text}");
        assert!(!text.contains("platformCrl"), "{text}");
        assert_eq!(status(&server, "pckcrl?ca=platform").await, 200);
    }
    // A CRL of another CA than the stored one is rejected.
    let mut other = file;
    other["collaterals"]["pckcacrl"]["platformCrl"] = other["collaterals"]["rootcacrl"].clone();
    let (found, text) = put(&server, &other.to_string()).await;
    assert_eq!((found, text.contains("pck-crl-platform")), (460, true), "{text}");
}

#[tokio::test]
async fn a_second_platform_reuses_stored_chains_and_tcb_info() {
    let platform = platform();
    let (_home, server) = offline(&platform).await;
    assert_eq!(put(&server, &body(&fetched(&platform))).await.0, 200);
    let other = full::machine([7; 32]);
    let mut file = fetched(&other);
    let parts = file["collaterals"].as_object_mut().unwrap();
    parts.retain(|name, _| name == "pck_certs");
    let (found, text) = put(&server, &file.to_string()).await;
    assert_eq!((found, text.as_str()), (200, "done"));
    assert_eq!(get(server.address, &pck_request(&other)).await.status, 200);
}

#[tokio::test]
async fn errors_of_collateral_are_named_and_nothing_is_stored() {
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
        ("{}".to_owned(), 400, "missing field `collaterals`"),
        ("{\"collaterals\":{}}x".to_owned(), 400, "more than one value"),
        (with("/platforms/0/qe_id", json!("")), 400, "platforms[0].qe_id"),
        (with("/platforms/0/cpu_svn", json!("0")), 400, "platforms[0].cpu_svn"),
        (with("/platforms", json!({})), 400, "in platforms"),
        (with("/collaterals/pck_certs/0/certs", json!([])), 400, "pck_certs[0].certs"),
        (with("/collaterals/pck_certs/0/certs/0/cert", json!("x")), 400, "pck_certs[0].certs"),
        (with("/collaterals/pck_certs/0/certs/0/cert", json!(1)), 400, "certs[0].cert"),
        (with("/collaterals/pck_certs/0/enc_ppid", json!("00")), 400, "pck_certs[0].enc_ppid"),
        (with("/collaterals/pck_certs/0/pce_id", json!("0001")), 400, "PCE id"),
        (with("/collaterals/pckcacrl/platformCrl", json!("x")), 400, "pckcacrl.platformCrl"),
        (with("/collaterals/rootcacrl", json!("x")), 400, "collaterals.rootcacrl"),
        (with("/collaterals/tcbinfos", json!([])), 400, "FMSPC 534F46545752"),
        (body(&good).replace("sgx_tcbinfo", "tcbinfo"), 400, "tcbinfos[0].tcbinfo is of version 3"),
        (body(&good).replace("sgx_tcbinfo", "tdx"), 400, "lacks sgx_tcbinfo"),
        (body(&good).replace("\"534F46545752\", \"sgx", "\"12\", \"sgx"), 400, "tcbinfos[0].fmspc"),
        (with(chain, json!("")), 400, "collaterals.certificates lacks"),
        (with(chain, json!("%ff")), 400, "collaterals.certificates.SGX-PCK"),
        (with(chain.trim_end_matches("/PLATFORM"), json!({})), 400, "PLATFORM"),
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
    assert_eq!(get(server.address, &pck_request(&platform)).await.status, 461);
    assert!(!home.path().join("state/cache").exists());
    assert_eq!(put(&server, &body(&good)).await.0, 200);
    let path = format!("{V4}/platformcollateral");
    let headers = [ADMIN, ("Content-Length", "33554433")];
    assert_eq!(request(server.address, "PUT", &path, &headers, b"").await.status, 413);
}
