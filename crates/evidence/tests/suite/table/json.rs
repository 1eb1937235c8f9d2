//! JSON documents.

use evidence::Content;
use serde_json::json;

use super::{Case, ENDED, bound, error, other, quote, unbound};
use crate::samples::{Samples, base64, base64url, epid, oe_report, pem, sha256, sha512, tdx};

pub(crate) fn documents(samples: &Samples) -> Vec<Case> {
    let runtime_data = br#"{"keys":[]}"#;
    let q = samples.quote_of(runtime_data);
    let (b64, url, hex) = (base64(&q), base64url(&q), hex::encode(&q));
    let data = base64url(runtime_data);
    let azure = json!({"quote": url, "runtimeData": {"data": data, "dataType": "JSON"}});
    let report = base64url(&oe_report(2, &q));
    let azure_oe = json!({"report": report, "runtimeData": {"data": data, "dataType": "Binary"}});
    let other_data = json!({"quote": url, "runtimeData": {"data": base64url(b"other")}});
    let no_base64 = json!({"quote": url, "runtimeData": {"data": "!"}});
    let coco = json!({"quote": b64});
    let tdx = tdx(&q, 4);
    let coco_tdx = json!({"cc_eventlog": base64(&[5; 9000]), "quote": base64(&tdx)});
    let kbs = json!({"tee-pubkey": {"kty": "EC"}, "tee-evidence": coco.to_string()});
    let service = json!({"tee": "sgx", "evidence": base64url(coco.to_string().as_bytes()),
        "runtime_data": {"structured": {"nonce": 1}}});
    let of_raw = samples.quote_with(b"nonce");
    let raw = |data: &[u8]| {
        json!({"verification_requests": [{"tee": "sgx", "evidence":
        base64url(json!({"quote": base64(&of_raw)}).to_string().as_bytes()), "runtime_data":
        {"raw": base64url(data)}}]})
    };
    let in_request = "base64, in JSON field quote, in base64, in JSON field \
                      verification_requests.evidence";
    let numbers = json!({"td_quote": tdx, "hcl_report": vec![1; 1000]});
    let trust_authority = |quote: &[u8]| {
        json!({"quote": base64(quote), "runtime_data":
        base64(b"data"), "verifier_nonce": {"val": base64(b"val"), "iat": base64(b"iat")}})
    };
    let [nonce_256, nonce_512, no_nonce] =
        [sha256(b"valiatdata"), sha512(b"valiatdata"), sha256(b"data")]
            .map(|d| samples.quote_with(&d));
    let marblerun = json!({"status": "success", "data": {"Cert": pem("CERTIFICATE",
        &samples.certificate(&[])), "Quote": base64(&oe_report(2, &q))}});
    let two = json!({"first": b64, "second": base64(&samples.quote_of(b"another"))});
    let field = "base64, in JSON field quote";
    vec![
        bound("Azure's request for SGX", &q, azure.to_string(), field),
        bound(
            "Azure's request for Open Enclave",
            &q,
            azure_oe.to_string(),
            "an Open Enclave report, in base64, in JSON field report",
        ),
        unbound("Azure's request with other data", &q, other_data.to_string(), field),
        unbound("Azure's request with damaged data", &q, no_base64.to_string(), field),
        quote("CoCo's evidence", &q, coco.to_string(), field),
        quote("CoCo's evidence for TDX", &tdx, coco_tdx.to_string(), field),
        quote(
            "a request to CoCo's KBS",
            &q,
            kbs.to_string(),
            "base64, in JSON field quote, in JSON field tee-evidence",
        ),
        quote(
            "a request to CoCo's attestation service",
            &q,
            service.to_string(),
            "base64, in JSON field quote, in base64, in JSON field evidence",
        ),
        bound("a request with raw data", &of_raw, raw(b"nonce").to_string(), in_request),
        unbound("a request with other data", &of_raw, raw(b"non").to_string(), in_request),
        quote("evidence as numbers", &tdx, numbers.to_string(), "JSON field td_quote"),
        bound(
            "Trust Authority, SHA-256",
            &nonce_256,
            trust_authority(&nonce_256).to_string(),
            field,
        ),
        bound(
            "Trust Authority, SHA-512",
            &nonce_512,
            trust_authority(&nonce_512).to_string(),
            field,
        ),
        bound(
            "Trust Authority, no nonce",
            &no_nonce,
            trust_authority(&no_nonce).to_string(),
            field,
        ),
        unbound("Trust Authority, other data", &q, trust_authority(&q).to_string(), field),
        quote(
            "MarbleRun's answer",
            &q,
            marblerun.to_string(),
            "an Open Enclave report, in base64, in JSON field data.Quote",
        ),
        quote(
            "a quote in hexadecimal",
            &q,
            json!({"quote": hex}).to_string(),
            "hexadecimal, in JSON field quote",
        ),
        quote(
            "a quote with 0x",
            &q,
            json!({"quote": format!("0x{hex}"), "event_log": "[]"}).to_string(),
            "hexadecimal, in JSON field quote",
        ),
        quote(
            "a list",
            &q,
            json!([{"isvQuote": b64}]).to_string(),
            "base64, in JSON field isvQuote",
        ),
        quote("a string", &q, json!(b64).to_string(), "base64, in a JSON document"),
        quote(
            "the same quote twice",
            &q,
            json!({"a": b64, "b": hex}).to_string(),
            "base64, in JSON field a",
        ),
        quote("in several lines", &q, serde_json::to_string_pretty(&coco).unwrap(), field),
        error("two quotes", two.to_string(), "in JSON fields first and second"),
        error(
            "a damaged quote",
            json!({"quote": b64[..4000]}).to_string(),
            "and there are 3000 bytes (read from base64, in JSON field quote)",
        ),
        error(
            "a document without a quote",
            json!({"kid": 1, "token": "x"}).to_string(),
            "JSON without a quote, with the fields kid, token",
        ),
        error(
            "a document that is cut off",
            &coco.to_string()[..5000],
            "the JSON cannot be read: it ends too early",
        ),
        error("no JSON", "{quote}", "the JSON cannot be read: it is not JSON (line 1, column 2)"),
        other(
            "an EPID quote",
            json!({"isvEnclaveQuote": base64(&epid(2))}).to_string(),
            Content::EpidQuote { version: 2 },
            ENDED,
        ),
    ]
}
