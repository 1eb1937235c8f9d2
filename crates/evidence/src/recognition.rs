//! The order in which forms are recognized.

use sgx::{AttestationKeyId, QeReportInfo, Report, ReportBody, TargetInfo};

use crate::error::{Problem, ReadError};
use crate::forms::{
    base64, certificate, epid, hex_dump, hexadecimal, json, open_enclave, pem, tagged_evidence,
    unrecognized,
};
use crate::reader::{Reader, Recognize};
use crate::wrapping::Wrapping;
use crate::{Content, Evidence, quote_bytes};

/// The sizes in bytes by which structures of the SGX SDK are told apart.
const STRUCTURE_SIZES: [usize; 5] = [
    size_of::<Report>(),
    size_of::<ReportBody>(),
    size_of::<TargetInfo>(),
    size_of::<QeReportInfo>(),
    size_of::<AttestationKeyId>(),
];

/// Reads the bytes of a file.
pub(crate) fn read_file(bytes: &[u8]) -> Result<Evidence, ReadError> {
    Reader::new(&Recognize { text, binary }).read(bytes)
}

fn binary(reader: Reader, bytes: &[u8]) -> Result<Evidence, ReadError> {
    if let Some(evidence) = open_enclave::read(reader, bytes) {
        return evidence;
    }
    let has_size = reader.recognizes_sizes() && STRUCTURE_SIZES.contains(&bytes.len());
    if has_size && !quote_bytes::has_intel_header(bytes) {
        return Ok(Evidence::new(Content::Structure, bytes));
    }
    quote_bytes::read(bytes)
        .or_else(|| epid::read(bytes))
        .or_else(|| certificate::read(reader, bytes))
        .or_else(|| tagged_evidence::read(reader, bytes))
        .unwrap_or_else(|| Err(Problem::NoQuote(unrecognized::describe_binary(bytes)).into()))
}

fn text(reader: Reader, text: &str) -> Result<Evidence, ReadError> {
    if let Some(evidence) = json::read(reader, text) {
        return evidence;
    }
    // The text column of a dump may hold PEM.
    if let Some(bytes) = hexadecimal::decode(text) {
        return reader.read_inner(&bytes, Wrapping::Hexadecimal);
    }
    if let Some(bytes) = hex_dump::decode(text) {
        return reader.read_inner(&bytes?, Wrapping::HexDump);
    }
    if let Some(evidence) = pem::read(reader, text) {
        return evidence;
    }
    if let Some(bytes) = base64::decode(text) {
        return reader.read_inner(&bytes, Wrapping::Base64);
    }
    Err(Problem::NoQuote(unrecognized::describe_text(text)).into())
}
