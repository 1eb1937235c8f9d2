//! The table: files, each with what is found in it.

mod attested_tls;
mod encodings;
mod json;
mod open_enclave;

use evidence::Content;

use crate::samples::Samples;

/// A file, and what is found in it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) file: Vec<u8>,
    pub(crate) expected: Expected,
}

#[derive(Debug)]
pub(crate) enum Expected {
    /// This quote, read from there, with the result of its bindings.
    Quote { quote: Vec<u8>, origin: String, bound: Option<bool> },
    /// Another structure, and a part of the reason why nobody can verify it.
    Other(Content, &'static str),
    /// An error that contains this.
    Error(&'static str),
}

/// The evidence format of Open Enclave for SGX quotes.
pub(crate) const SGX_ECDSA: &str = "a3a21e871b4d4014b70aa125d2fbcd8c";

/// A part of the message on EPID.
pub(crate) const ENDED: &str = "ended its attestation service for EPID on April 2, 2025";

/// All files.
pub(crate) fn cases(samples: &Samples) -> Vec<Case> {
    [
        encodings::binary(samples),
        encodings::texts(samples),
        json::documents(samples),
        open_enclave::headers(samples),
        attested_tls::certificates(samples),
        attested_tls::not_bound(samples),
        encodings::others(samples),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn quote(name: &'static str, quote: &[u8], file: impl AsRef<[u8]>, origin: &str) -> Case {
    found(name, quote, file, origin, None)
}

fn bound(name: &'static str, quote: &[u8], file: impl AsRef<[u8]>, origin: &str) -> Case {
    found(name, quote, file, origin, Some(true))
}

fn unbound(name: &'static str, quote: &[u8], file: impl AsRef<[u8]>, origin: &str) -> Case {
    found(name, quote, file, origin, Some(false))
}

fn found(
    name: &'static str,
    quote: &[u8],
    file: impl AsRef<[u8]>,
    origin: &str,
    bound: Option<bool>,
) -> Case {
    let expected = Expected::Quote { quote: quote.to_vec(), origin: origin.to_owned(), bound };
    Case { name, file: file.as_ref().to_vec(), expected }
}

fn other(
    name: &'static str,
    file: impl AsRef<[u8]>,
    content: Content,
    reason: &'static str,
) -> Case {
    Case { name, file: file.as_ref().to_vec(), expected: Expected::Other(content, reason) }
}

fn error(name: &'static str, file: impl AsRef<[u8]>, text: &'static str) -> Case {
    Case { name, file: file.as_ref().to_vec(), expected: Expected::Error(text) }
}

fn padded(size: usize) -> String {
    format!("a buffer of {size} bytes, filled up with zeros")
}
