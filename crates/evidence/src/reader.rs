//! The order of recognition.

use sgx::{AttestationKeyId, QeReportInfo, Report, ReportBody, TargetInfo};

use crate::error::{Problem, ReadError};
use crate::forms::{
    base64, certificate, epid, hex_dump, hexadecimal, json, open_enclave, other, pem,
    tagged_evidence,
};
use crate::wrapping::Wrapping;
use crate::{Content, Evidence, quote_bytes};

/// The largest number of nested wrappings: evidence of an attestation service in JSON is base64 of
/// JSON with base64 of a report with a header.
pub const MAX_DEPTH: usize = 8;

/// The largest text that is read, in bytes. Event logs are the largest parts of evidence.
pub const MAX_TEXT_SIZE: usize = 1024 * 1024;

/// The sizes in bytes by which structures of the SGX SDK are told apart.
const STRUCTURE_SIZES: [usize; 5] = [
    size_of::<Report>(),
    size_of::<ReportBody>(),
    size_of::<TargetInfo>(),
    size_of::<QeReportInfo>(),
    size_of::<AttestationKeyId>(),
];

/// A position: its depth, and whether structures are recognized by their size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    depth: usize,
    by_size: bool,
}

pub(crate) fn read_file(bytes: &[u8]) -> Result<Evidence, ReadError> {
    Reader { depth: 0, by_size: true }.read(bytes)
}

impl Reader {
    /// A reader for what a wrapping holds.
    ///
    /// # Errors
    /// When wrappings nest too deeply.
    pub(crate) fn inner(self) -> Result<Self, ReadError> {
        match self.depth.saturating_add(1) {
            depth if depth > MAX_DEPTH => Err(Problem::TooDeep(MAX_DEPTH).into()),
            depth => Ok(Self { depth, ..self }),
        }
    }

    /// The same for a field of a document, in which a size proves nothing: an RSA signature has as
    /// many bytes as an attestation key id.
    ///
    /// # Errors
    /// As [`Reader::inner`].
    pub(crate) fn field(self) -> Result<Self, ReadError> {
        Ok(Self { by_size: false, ..self.inner()? })
    }

    pub(crate) fn read(self, bytes: &[u8]) -> Result<Evidence, ReadError> {
        match text(bytes) {
            Some(text) => self.read_text(text),
            None => self.read_binary(bytes),
        }
    }

    /// Reads bytes that are not text.
    pub(crate) fn read_binary(self, bytes: &[u8]) -> Result<Evidence, ReadError> {
        if let Some(evidence) = open_enclave::read(self, bytes) {
            return evidence;
        }
        let has_size = self.by_size && STRUCTURE_SIZES.contains(&bytes.len());
        if has_size && !quote_bytes::is_of_intels_qe(bytes) {
            return Ok(Evidence::new(Content::Structure, bytes));
        }
        if let Some(evidence) = quote_bytes::read(bytes) {
            return evidence;
        }
        if let Some(evidence) = epid::read(bytes) {
            return evidence;
        }
        if let Some(evidence) = certificate::read(self, bytes) {
            return evidence;
        }
        if let Some(evidence) = tagged_evidence::read(self, bytes) {
            return evidence;
        }
        Err(Problem::NoQuote(other::describe_binary(bytes)).into())
    }

    fn read_text(self, text: &str) -> Result<Evidence, ReadError> {
        if text.len() > MAX_TEXT_SIZE {
            return Err(Problem::TooLarge { size: text.len(), limit: MAX_TEXT_SIZE }.into());
        }
        if let Some(evidence) = json::read(self, text) {
            return evidence;
        }
        // The text column of a dump may hold PEM.
        if let Some(bytes) = hexadecimal::decode(text) {
            return self.read_decoded(&bytes, Wrapping::Hexadecimal);
        }
        if let Some(bytes) = hex_dump::decode(text) {
            return self.read_decoded(&bytes?, Wrapping::HexDump);
        }
        if let Some(evidence) = pem::read(self, text) {
            return evidence;
        }
        if let Some(bytes) = base64::decode(text) {
            return self.read_decoded(&bytes, Wrapping::Base64);
        }
        Err(Problem::NoQuote(other::describe_text(text)).into())
    }

    fn read_decoded(self, bytes: &[u8], encoding: Wrapping) -> Result<Evidence, ReadError> {
        wrapped(self.inner().and_then(|inner| inner.read(bytes)), encoding)
    }
}

/// Adds a wrapping to the result of reading its contents.
pub(crate) fn wrapped(
    read: Result<Evidence, ReadError>,
    wrapping: Wrapping,
) -> Result<Evidence, ReadError> {
    match read {
        Ok(evidence) => Ok(evidence.within(wrapping)),
        Err(error) => Err(error.within(wrapping)),
    }
}

/// The bytes as text without the white space, the byte order mark and the zeros around it; `None`
/// if they are none, or nothing at all.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches('\0').trim();
    let is_text = |character: char| !character.is_control() || character.is_ascii_whitespace();
    (!text.is_empty() && text.chars().all(is_text)).then_some(text)
}
