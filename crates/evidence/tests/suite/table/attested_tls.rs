//! RA-TLS certificates and their evidence.

use super::{Case, SGX_ECDSA, bound, error, unbound};
use crate::samples::{Samples, base64, oe_evidence, oe_report, pem, tagged};

const DICE: &[u64] = &[2, 23, 133, 5, 4, 9];
const GRAMINE: &[u64] = &[0, 6, 9, 42, 840, 113_741, 1337, 6];
const GRAMINE_AS_MEANT: &[u64] = &[1, 2, 840, 113_741, 1337, 6];
const INTEL: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];
const OE_REPORT: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 105, 1];
const OE_REPORT_OLD: &[u64] = &[1, 2, 840, 113_556, 10, 1, 1];
const OE_EVIDENCE: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 105, 2];
const OE_EVIDENCE_OLD: &[u64] = &[1, 2, 840, 113_556, 10, 1, 2];

const TAGGED: &str = "CBOR evidence (tag 60000), in a certificate with the extension \
                      2.23.133.5.4.9 (TCG DICE tagged evidence)";

pub(crate) fn certificates(samples: &Samples) -> Vec<Case> {
    let of_key = samples.quote_of(&samples.key());
    let of_pem = samples.quote_of(samples.key_pem().as_bytes());
    let c_string = format!("{}\0", samples.key_pem());
    let of_c_string = samples.quote_of(c_string.as_bytes());
    let evidence =
        oe_evidence(3, SGX_ECDSA, &[of_c_string.as_slice(), c_string.as_bytes()].concat());
    let [sha256, sha512] = [1, 8].map(|algorithm| samples.tagged_evidence(algorithm));
    let [of_claims, of_claims_512] = [&sha256, &sha512].map(|cbor| quote_in(cbor));
    let one = |oid, value: &[u8]| samples.certificate(&[(oid, value.to_vec())]);
    let dice = one(DICE, &sha256);
    let gramine = samples.certificate(&[(GRAMINE, of_key.clone()), (DICE, sha256.clone())]);
    let intel = samples.certificate(&[(INTEL, of_pem.clone()), (DICE, sha256.clone())]);
    let plain = samples.certificate(&[]);
    let chain = [pem("CERTIFICATE", &dice), pem("CERTIFICATE", &plain)].concat();
    let with_text = format!("Certificate:\n    Data:\n{}", pem("CERTIFICATE", &dice));
    let report = |quote: &[u8]| oe_report(2, quote);
    vec![
        bound("tagged evidence", &of_claims, &dice, TAGGED),
        bound("tagged evidence, SHA-512", &of_claims_512, one(DICE, &sha512), TAGGED),
        bound(
            "tagged evidence in PEM",
            &of_claims,
            pem("CERTIFICATE", &dice),
            &format!("{TAGGED}, in PEM (CERTIFICATE)"),
        ),
        bound("a chain", &of_claims, chain, &format!("{TAGGED}, in PEM (CERTIFICATE)")),
        bound(
            "PEM with text before it",
            &of_claims,
            with_text,
            &format!("{TAGGED}, in PEM (CERTIFICATE)"),
        ),
        bound("DER in base64", &of_claims, base64(&dice), &format!("{TAGGED}, in base64")),
        bound("Gramine, both extensions", &of_claims, gramine, TAGGED),
        bound(
            "Gramine's own extension",
            &of_key,
            one(GRAMINE, &of_key),
            &extension("0.6.9.42.840.113741.1337.6 (Gramine)"),
        ),
        bound(
            "Gramine's extension as it was meant",
            &of_key,
            one(GRAMINE_AS_MEANT, &of_key),
            &extension("1.2.840.113741.1337.6 (RA-TLS)"),
        ),
        bound("Intel's SDK, both extensions", &of_claims, intel, TAGGED),
        bound(
            "Intel's SDK, its own extension",
            &of_pem,
            one(INTEL, &of_pem),
            &extension("1.2.840.113741.1.13.1 (Intel SGX SDK)"),
        ),
        bound(
            "Open Enclave's report",
            &of_c_string,
            one(OE_REPORT, &report(&of_c_string)),
            &in_report("1.3.6.1.4.1.311.105.1"),
        ),
        bound(
            "Open Enclave's report, old",
            &of_c_string,
            one(OE_REPORT_OLD, &report(&of_c_string)),
            &in_report("1.2.840.113556.10.1.1"),
        ),
        bound(
            "EGo",
            &of_key,
            one(OE_REPORT, &report(&of_key)),
            &in_report("1.3.6.1.4.1.311.105.1"),
        ),
        bound(
            "Open Enclave's evidence",
            &of_c_string,
            one(OE_EVIDENCE, &evidence),
            &in_evidence("1.3.6.1.4.1.311.105.2"),
        ),
        bound(
            "Open Enclave's evidence, old",
            &of_c_string,
            one(OE_EVIDENCE_OLD, &evidence),
            &in_evidence("1.2.840.113556.10.1.2"),
        ),
        bound(
            "the evidence without its certificate",
            &of_claims,
            &sha256,
            "CBOR evidence (tag 60000)",
        ),
    ]
}

/// Certificates and claims that the quote does not bind.
pub(crate) fn not_bound(samples: &Samples) -> Vec<Case> {
    let q = samples.quote_of(b"another key");
    let one = |oid, value: &[u8]| samples.certificate(&[(oid, value.to_vec())]);
    let of_other_key = Samples::new().tagged_evidence(1);
    let cbor = samples.tagged_evidence(1);
    let other_quote = tagged(60000, &q, b"claims");
    let no_hash = tagged(60000, &samples.quote_of(&[0xa0]), &[0xa0]);
    let gramine = samples
        .certificate(&[(GRAMINE, samples.quote_of(&samples.key())), (DICE, of_other_key.clone())]);
    vec![
        unbound(
            "Gramine, another key",
            &q,
            one(GRAMINE, &q),
            &extension("0.6.9.42.840.113741.1337.6 (Gramine)"),
        ),
        unbound(
            "Open Enclave, another key",
            &q,
            one(OE_REPORT, &oe_report(2, &q)),
            &in_report("1.3.6.1.4.1.311.105.1"),
        ),
        unbound(
            "the evidence of another key",
            &quote_in(&of_other_key),
            one(DICE, &of_other_key),
            TAGGED,
        ),
        unbound("claims without a key", &quote_in(&no_hash), one(DICE, &no_hash), TAGGED),
        unbound("claims that the quote does not have", &q, one(DICE, &other_quote), TAGGED),
        unbound("the same without a certificate", &q, &other_quote, "CBOR evidence (tag 60000)"),
        unbound("Gramine, the first extension counts", &quote_in(&of_other_key), gramine, TAGGED),
        error("CBOR cut off", &cbor[..cbor.len() - 9], "the CBOR evidence cannot be read"),
        error("CBOR with another tag", one(DICE, &tagged(60001, &q, b"")), "CBOR tag 60001"),
        error(
            "CBOR that is no evidence",
            one(DICE, &[0x01]),
            "not an array of a quote and a claims buffer",
        ),
        error("CBOR that nests", one(DICE, &[0x81; 300]), "the CBOR evidence cannot be read"),
        error(
            "a certificate cut off",
            pem("CERTIFICATE", &one(GRAMINE, &q)[..900]),
            "no certificate",
        ),
        error(
            "a certificate with half a quote",
            one(GRAMINE, &q[..900]),
            "there are 900 bytes (read from a certificate",
        ),
    ]
}

/// The quote in CBOR evidence.
fn quote_in(cbor: &[u8]) -> Vec<u8> {
    let evidence: ciborium::Value = ciborium::from_reader(cbor).unwrap();
    let fields = evidence.into_tag().unwrap().1.into_array().unwrap();
    fields[0].as_bytes().unwrap().clone()
}

fn extension(oid_and_name: &str) -> String {
    format!("a certificate with the extension {oid_and_name}")
}

fn in_report(oid: &str) -> String {
    format!("an Open Enclave report, in {}", extension(&format!("{oid} (Open Enclave report)")))
}

fn in_evidence(oid: &str) -> String {
    let extension = extension(&format!("{oid} (Open Enclave evidence)"));
    format!("Open Enclave evidence (SGX ECDSA), in {extension}")
}
