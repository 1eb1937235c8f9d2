//! The evidence of interoperable RA-TLS: CBOR with tag 60000, an array of a quote and a buffer with
//! claims.
//!
//! REPORTDATA begins with the SHA-256 of the claims buffer. The buffer is a map, in which
//! `pubkey-hash` is a byte string of an array: an algorithm (1 SHA-256, 7 SHA-384, 8 SHA-512, of
//! IANA's named information hash algorithms) and the digest of the certificate's
//! `SubjectPublicKeyInfo` in DER. Source: CCC-Attestation/interoperable-ra-tls.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use ciborium::Value;
use ciborium::de::from_reader_with_recursion_limit;

use crate::binding::is_digest;
use crate::error::{Problem, ReadError};
use crate::reader::{Reader, wrapped};
use crate::wrapping::Wrapping;
use crate::{Binding, Evidence};

/// The first bytes of CBOR with tag 60000.
const TAG_60000: [u8; 3] = [0xd9, 0xea, 0x60];

/// The largest evidence that is read, in bytes: each byte of CBOR may take some 30 bytes of memory.
const MAX_SIZE: usize = 64 * 1024;

/// Tagged array, byte string; map, byte string, array.
const MAX_NESTING: usize = 8;

/// A quote and the claims buffer that came with it.
pub(crate) struct TaggedEvidence {
    quote: Vec<u8>,
    claims: Vec<u8>,
}

/// Reads the evidence and checks its claims; `None` for other bytes.
pub(crate) fn read(reader: Reader, bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    bytes.starts_with(&TAG_60000).then(|| {
        let tagged = TaggedEvidence::parse(bytes)?;
        let mut evidence = tagged.evidence(reader)?;
        let outcome =
            tagged.check_claims(&evidence).map(|()| "REPORTDATA begins with their SHA-256");
        evidence.bindings.push(Binding { subject: "the claims", outcome });
        Ok(evidence)
    })
}

impl TaggedEvidence {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let fields = match decode(bytes)? {
            Value::Tag(60000, value) => value.into_array().ok(),
            Value::Tag(tag, _) => {
                let kind = format!("evidence with CBOR tag {tag}; a quote has 60000");
                return Err(Problem::NoQuote(kind).into());
            }
            _ => None,
        };
        match fields.as_deref() {
            Some([Value::Bytes(quote), Value::Bytes(claims)]) => {
                Ok(Self { quote: quote.clone(), claims: claims.clone() })
            }
            _ => Err(malformed("it is not an array of a quote and a claims buffer")),
        }
    }

    /// The quote, without bindings.
    pub(crate) fn evidence(&self, reader: Reader) -> Result<Evidence, ReadError> {
        let read = reader.field().and_then(|field| field.read_binary(&self.quote));
        wrapped(read, Wrapping::TaggedEvidence)
    }

    /// Checks that REPORTDATA binds the claims.
    pub(crate) fn check_claims(&self, evidence: &Evidence) -> Result<(), String> {
        match is_digest(evidence.report_data_digest(), &self.claims) {
            true => Ok(()),
            false => Err("REPORTDATA does not begin with the SHA-256 of the claims".to_owned()),
        }
    }

    /// Checks that the claims name a public key, `SubjectPublicKeyInfo` in DER.
    pub(crate) fn check_key(&self, key: &[u8]) -> Result<(), String> {
        let (algorithm, expected) =
            self.key_digest().ok_or("the claims hold no readable pubkey-hash")?;
        match digest(algorithm, key).as_ref() == expected {
            true => Ok(()),
            false => Err("pubkey-hash in the claims is the hash of another key".to_owned()),
        }
    }

    fn key_digest(&self) -> Option<(&'static Algorithm, Vec<u8>)> {
        let claims = decode(&self.claims).ok()?.into_map().ok()?;
        let is_key = |(name, _): &(Value, Value)| name.as_text() == Some("pubkey-hash");
        let (_, claim) = claims.into_iter().find(is_key)?;
        let entry = decode(claim.as_bytes()?).ok()?.into_array().ok()?;
        let [algorithm, Value::Bytes(digest)] = entry.as_slice() else { return None };
        let algorithm = match u64::try_from(algorithm.as_integer()?).ok()? {
            1 => &SHA256,
            7 => &SHA384,
            8 => &SHA512,
            _ => return None,
        };
        Some((algorithm, digest.clone()))
    }
}

fn decode(mut bytes: &[u8]) -> Result<Value, ReadError> {
    if bytes.len() > MAX_SIZE {
        return Err(malformed(&format!("it has {} bytes of at most {MAX_SIZE}", bytes.len())));
    }
    let value = from_reader_with_recursion_limit(&mut bytes, MAX_NESTING)
        .map_err(|error| malformed(&error.to_string()))?;
    if bytes.is_empty() { Ok(value) } else { Err(malformed("bytes follow after its end")) }
}

fn malformed(reason: &str) -> ReadError {
    Problem::Malformed { form: "the CBOR evidence", reason: reason.to_owned() }.into()
}
