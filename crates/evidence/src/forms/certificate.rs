//! RA-TLS certificates: a quote in an extension, whose REPORTDATA binds the certificate's key.
//!
//! The signature is not checked: the certificate is self-signed, and the TLS handshake proves that
//! the peer has the key.

use ::pem::{EncodeConfig, LineEnding, Pem, encode_config};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::binding::is_digest;
use crate::error::{Problem, ReadError};
use crate::forms::tagged_evidence::TaggedEvidence;
use crate::reader::{Reader, wrapped};
use crate::wrapping::Wrapping;
use crate::{Binding, Evidence};

/// The first byte of every DER certificate.
const DER_SEQUENCE: u8 = 0x30;

/// The extension of interoperable RA-TLS (TCG DICE tagged evidence).
const TAGGED_EVIDENCE: &str = "2.23.133.5.4.9";

/// The extension with a quote of Intel's SDK for SGX. In PCK certificates it is another one, a
/// sequence.
const INTEL: &str = "1.2.840.113741.1.13.1";

/// The extensions with evidence, in order of preference: a certificate of Gramine has the first
/// two. Sources: gramineproject/gramine `tools/sgx/ra-tls/ra_tls.h`, whose identifier
/// has two bytes too many in front (0.6.9.42 for 1.2), and openenclave/openenclave
/// `include/openenclave/internal/report.h` and `evidence.h`; EGo uses 1.3.6.1.4.1.311.105.1.
const EXTENSIONS: [(&str, &str); 8] = [
    (TAGGED_EVIDENCE, "TCG DICE tagged evidence"),
    ("0.6.9.42.840.113741.1337.6", "Gramine"),
    ("1.2.840.113741.1337.6", "RA-TLS"),
    ("1.3.6.1.4.1.311.105.1", "Open Enclave report"),
    ("1.2.840.113556.10.1.1", "Open Enclave report"),
    ("1.3.6.1.4.1.311.105.2", "Open Enclave evidence"),
    ("1.2.840.113556.10.1.2", "Open Enclave evidence"),
    (INTEL, "Intel SGX SDK"),
];

/// The evidence in a DER certificate; `None` for other bytes.
pub(crate) fn read(reader: Reader, bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    if bytes.first() != Some(&DER_SEQUENCE) {
        return None;
    }
    let certificate = Certificate::from_der(bytes).ok()?;
    Some(read_certificate(reader, &certificate))
}

fn read_certificate(reader: Reader, certificate: &Certificate) -> Result<Evidence, ReadError> {
    let contents = certificate.tbs_certificate();
    let Some((oid, name, value)) = extension(certificate) else {
        let subject = contents.subject();
        let kind = format!("a certificate without attestation evidence, of \"{subject}\"");
        return Err(Problem::NoQuote(kind).into());
    };
    let key = contents.subject_public_key_info().to_der().map_err(|error| malformed(&error))?;
    let read = read_extension(reader, oid, value, &key);
    wrapped(read, Wrapping::Certificate { name, oid })
}

/// The preferred extension and its contents.
fn extension(certificate: &Certificate) -> Option<(&'static str, &'static str, &[u8])> {
    let extensions = certificate.tbs_certificate().extensions()?;
    EXTENSIONS.iter().find_map(|(oid, name)| {
        let extension =
            extensions.iter().find(|extension| extension.extn_id.to_string() == *oid)?;
        let value = extension.extn_value.as_bytes();
        let is_pck_certificate = *oid == INTEL && value.first() == Some(&DER_SEQUENCE);
        (!is_pck_certificate).then_some((*oid, *name, value))
    })
}

fn read_extension(
    reader: Reader,
    oid: &str,
    value: &[u8],
    key: &[u8],
) -> Result<Evidence, ReadError> {
    let reader = reader.field()?;
    let (mut evidence, outcome) = if oid == TAGGED_EVIDENCE {
        let tagged = TaggedEvidence::parse(value)?;
        let evidence = tagged.evidence(reader)?;
        let outcome = tagged.check_claims(&evidence).and_then(|()| tagged.check_key(key));
        (evidence, outcome.map(|()| "REPORTDATA binds claims with its hash"))
    } else {
        let evidence = reader.read_binary(value)?;
        let outcome = check_key(&evidence, key);
        (evidence, outcome)
    };
    evidence.bindings.push(Binding { subject: "the certificate's key", outcome });
    Ok(evidence)
}

/// REPORTDATA begins with the SHA-256 of the key: of `SubjectPublicKeyInfo` in DER (Gramine, EGo),
/// in PEM (Intel's SDK), or in PEM with the zero at the end of a C string (Open Enclave).
fn check_key(evidence: &Evidence, key: &[u8]) -> Result<&'static str, String> {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let pem = encode_config(&Pem::new("PUBLIC KEY", key), config);
    let report_data = evidence.report_data_digest();
    if is_digest(report_data, key) {
        Ok("REPORTDATA begins with its SHA-256")
    } else if is_digest(report_data, pem.as_bytes())
        || is_digest(report_data, format!("{pem}\0").as_bytes())
    {
        Ok("REPORTDATA begins with the SHA-256 of its PEM")
    } else {
        Err("REPORTDATA does not begin with its SHA-256".to_owned())
    }
}

fn malformed(reason: &impl ToString) -> ReadError {
    Problem::Malformed { form: "the certificate's key", reason: reason.to_string() }.into()
}
