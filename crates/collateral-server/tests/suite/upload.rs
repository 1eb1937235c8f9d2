//! Registration of a platform, and upload of its certificates and collateral.

use collateral_server::Mode;
use serde_json::{Value, json};
use software_platform::SoftwarePlatform;
use time::OffsetDateTime;

use crate::exchange::request;
use crate::full::{ADMIN, Full, Home, V4, certificate_at, url_encoded};

/// The body with which the platform registers.
pub(crate) fn registration(platform: &SoftwarePlatform) -> Value {
    json!({
        "qe_id": hex::encode(platform.qe_id()),
        "pce_id": "0000",
        "cpu_svn": platform.pck_subject().cpu_svn.to_string(),
        "pce_svn": "0d00",
        "enc_ppid": hex::encode(platform.encrypted_ppid()),
        "platform_manifest": "",
    })
}

/// The certificates and collateral that a tool makes for a list of platforms.
pub(crate) fn collateral(platform: &SoftwarePlatform, platforms: &Value) -> Value {
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
            // A placeholder for text, since the signature covers the order of the fields.
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
pub(crate) fn body(collateral: &Value) -> String {
    let tcb_info = collateral["tcb_info"].as_str().unwrap();
    let spaced = tcb_info.replace("\":", "\": ").replace(",\"", ", \"").replace(",{", ", {");
    let infos = format!("[{{\"fmspc\": \"534F46545752\", \"sgx_tcbinfo\": {spaced}}}]");
    collateral.to_string().replace("\"TCB_INFOS\"", &infos)
}

pub(crate) async fn put(server: &Full, body: &str) -> (u16, String) {
    let path = format!("{V4}/platformcollateral");
    let answer = request(server.address, "PUT", &path, &[ADMIN], body.as_bytes()).await;
    (answer.status, answer.text().to_owned())
}

pub(crate) async fn offline(platform: &SoftwarePlatform) -> (Home, Full) {
    let home = Home::trusting(platform);
    let server = home.serve(Mode::Offline, Vec::new()).await;
    (home, server)
}
