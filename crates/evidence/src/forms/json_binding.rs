//! Data beside a quote in a JSON document, of formats that define its binding to REPORTDATA.
//!
//! - Azure Attestation: `runtimeData.data`, base64 for URLs; REPORTDATA begins with its SHA-256.
//! - Intel Trust Authority: `runtime_data`, behind `verifier_nonce.val` and `verifier_nonce.iat` if
//!   there is a nonce, all in base64; REPORTDATA is their SHA-512, or begins with their SHA-256. A
//!   virtual machine of Azure leaves out the nonce.
//! - Attestation service of Confidential Containers: `runtime_data.raw`, base64 for URLs;
//!   REPORTDATA begins with it, and zeros follow. `runtime_data.structured`, hashed in a canonical
//!   form of JSON, is not checked.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use serde_json::Value;

use crate::forms::base64;
use crate::{Binding, Evidence, quote_bytes};

/// The check of the data beside a quote; `None` without such data.
pub(crate) fn check(parent: &Value, evidence: &Evidence) -> Option<Binding> {
    azure(parent, evidence)
        .or_else(|| trust_authority(parent, evidence))
        .or_else(|| confidential_containers(parent, evidence))
}

fn azure(parent: &Value, evidence: &Evidence) -> Option<Binding> {
    let data = parent.get("runtimeData")?.get("data")?;
    let outcome = decode(data).and_then(|data| verify(evidence, &[data]));
    Some(Binding { subject: "runtimeData", outcome })
}

fn trust_authority(parent: &Value, evidence: &Evidence) -> Option<Binding> {
    let data = parent.get("runtime_data").filter(|data| data.is_string())?;
    let outcome = decode(data).and_then(|data| {
        let Some(nonce) = parent.get("verifier_nonce").filter(|nonce| nonce.is_object()) else {
            return verify(evidence, &[data]);
        };
        let [val, iat] = ["val", "iat"].map(|field| decode(nonce.get(field).unwrap_or(nonce)));
        verify(evidence, &[[val?, iat?, data.clone()].concat(), data])
    });
    Some(Binding { subject: "runtime_data", outcome })
}

fn confidential_containers(parent: &Value, evidence: &Evidence) -> Option<Binding> {
    let data = parent.get("runtime_data")?.get("raw")?;
    let outcome = decode(data).and_then(|data| match report_data(evidence).strip_prefix(&*data) {
        Some(rest) if rest.iter().all(|byte| *byte == 0) => Ok("it is REPORTDATA"),
        _ => Err("it is not REPORTDATA".to_owned()),
    });
    Some(Binding { subject: "runtime_data.raw", outcome })
}

fn decode(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or("it is not text")?;
    base64::decode_any_length(text).ok_or_else(|| "it is not base64".to_owned())
}

/// Checks that REPORTDATA is the hash of one of the messages.
fn verify(evidence: &Evidence, messages: &[Vec<u8>]) -> Result<&'static str, String> {
    let report_data = report_data(evidence);
    let is_made_of = |message: &Vec<u8>| {
        report_data.starts_with(digest(&SHA256, message).as_ref())
            || report_data == digest(&SHA512, message).as_ref()
    };
    match messages.iter().any(is_made_of) {
        true => Ok("REPORTDATA is its hash"),
        false => Err("REPORTDATA is not its hash".to_owned()),
    }
}

/// All 64 bytes of REPORTDATA.
fn report_data(evidence: &Evidence) -> &[u8] {
    quote_bytes::report_data(evidence.content, &evidence.bytes).unwrap_or_default()
}
