//! Requests of Intel's and Azure's programs, as they send them. `recorded/README.md` says where
//! they are from.

use std::path::Path;

use serde_json::json;
use software_platform::SoftwarePlatform;

use crate::exchange::{Answer, exchange};
use crate::full::{Full, platform, url_encoded};
use crate::upload::{collateral, offline, registration};

/// Words of the files, and the values of this platform.
fn values(platform: &SoftwarePlatform) -> Vec<(&'static str, String)> {
    let file = collateral(platform, &json!([registration(platform)]));
    let text = |pointer: &str| file.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let certificates = "/collaterals/certificates";
    let identity = serde_json::to_string(&text("/collaterals/qeidentity")).unwrap();
    let platform_crl = text("/collaterals/pckcacrl/platformCrl");
    vec![
        ("$QE_IDENTITY", identity.trim_matches('"').to_owned()),
        ("$QE_ID", hex::encode_upper(platform.qe_id())),
        ("$ENC_PPID", hex::encode_upper(platform.encrypted_ppid())),
        ("$CPU_SVN", platform.pck_subject().cpu_svn.to_string().to_uppercase()),
        ("$PCK_CERTIFICATE", url_encoded(platform.pck_certificate().leaf().pem())),
        ("$TCB_INFO", text("/tcb_info").replace("\":", "\": ").replace(",\"", ", \"")),
        ("$PROCESSOR_CRL", platform_crl.clone()),
        ("$PLATFORM_CRL", platform_crl),
        ("$ROOT_CRL", text("/collaterals/rootcacrl")),
        (
            "$PLATFORM_CHAIN",
            text(&format!("{certificates}/SGX-PCK-Certificate-Issuer-Chain/PLATFORM")),
        ),
        ("$TCB_CHAIN", text(&format!("{certificates}/TCB-Info-Issuer-Chain"))),
    ]
}

async fn send(server: &Full, name: &str, values: &[(&str, String)]) -> Answer {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let file = std::fs::read_to_string(directory.join(format!("{name}.http"))).unwrap();
    let file = values.iter().fold(file, |file, (word, value)| file.replace(word, value));
    let (head, body) = file.split_once("\n\n").unwrap();
    let (head, body) = (head.replace('\n', "\r\n"), body.trim_end());
    let length = format!("Content-Length: {}\r\nConnection: close", body.len());
    exchange(server.address, format!("{head}\r\n{length}\r\n\r\n{body}").as_bytes()).await
}

#[tokio::test]
async fn recorded_requests_have_the_answers_that_the_programs_expect() {
    let platform = platform();
    let values = values(&platform);
    let (_home, server) = offline(&platform).await;
    let certificate = "BEGIN CERTIFICATE";
    for (name, status, word) in [
        ("qpl_pckcert", 461, "QE id"),
        ("pck_id_retrieval_tool", 200, "done"),
        ("pck_id_retrieval_tool_platform_id", 200, "done"),
        ("pccsadmin_get", 200, "7261636B2037"),
        ("pccsadmin_put_crls", 200, "platformCrl"),
        ("az_dcap_client_root_crl", 200, "BEGIN X509 CRL"),
        ("pccsadmin_put_fetched", 200, "left out: collaterals.pckcacrl.processorCrl"),
        ("pccsadmin_put_crls", 200, "left out: collaterals.pckcacrl.processorCrl"),
        ("qpl_pckcert", 200, certificate),
        ("pccsadmin_get_fmspc", 200, "\"pce_svn\":\"0D00\""),
        ("pccsadmin_put_policy", 200, ""),
        ("pccsadmin_refresh_fmspc", 503, "offline"),
    ] {
        let answer = send(&server, name, &values).await;
        let text = answer.text();
        assert!(answer.status == status && text.contains(word), "{name}: {} {text}", answer.status);
    }
}
