//! The layers around a quote.

use std::fmt;

/// One layer around a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapping {
    /// Digits of base 16, also with `0x`, separators or as a C array.
    Hexadecimal,
    /// The output of xxd or hexdump.
    HexDump,
    /// Base64 with either alphabet.
    Base64,
    /// PEM; the label of the section.
    Pem(String),
    /// A JSON document; the path to the field, empty for the document itself.
    Json(String),
    /// A buffer that is filled up with zeros; its size in bytes.
    Padded(usize),
    /// The Open Enclave SDK's `oe_report_header_t`.
    OpenEnclaveReport,
    /// The Open Enclave SDK's `oe_attestation_header_t`; the name of the evidence format.
    OpenEnclaveEvidence(&'static str),
    /// CBOR with tag 60000 of interoperable RA-TLS: a quote and claims.
    TaggedEvidence,
    /// An RA-TLS certificate; the name of the extension and its object identifier.
    Certificate {
        /// The user of the extension.
        name: &'static str,
        /// The object identifier, with dots.
        oid: &'static str,
    },
}

/// The wrappings as one phrase, from the innermost to the outermost.
pub(crate) fn origin(wrappings: &[Wrapping]) -> Option<String> {
    let phrases: Vec<_> = wrappings.iter().map(ToString::to_string).collect();
    (!phrases.is_empty()).then(|| phrases.join(", in "))
}

impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hexadecimal => f.write_str("hexadecimal"),
            Self::HexDump => f.write_str("a hex dump"),
            Self::Base64 => f.write_str("base64"),
            Self::Pem(label) => write!(f, "PEM ({})", printable::line(label)),
            Self::Json(path) if path.is_empty() => f.write_str("a JSON document"),
            Self::Json(path) => write!(f, "JSON field {}", printable::line(path)),
            Self::Padded(size) => write!(f, "a buffer of {size} bytes, filled up with zeros"),
            Self::OpenEnclaveReport => f.write_str("an Open Enclave report"),
            Self::OpenEnclaveEvidence(format) => write!(f, "Open Enclave evidence ({format})"),
            Self::TaggedEvidence => f.write_str("CBOR evidence (tag 60000)"),
            Self::Certificate { name, oid } => {
                write!(f, "a certificate with the extension {oid} ({name})")
            }
        }
    }
}
