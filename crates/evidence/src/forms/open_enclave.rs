//! Headers of the Open Enclave SDK, which EGo and Azure use, too. All numbers are little-endian.
//!
//! - `oe_report_header_t` (16 bytes): version 1 (4 bytes), report type (4 bytes, 1 local or 2
//!   remote), size of the report (8 bytes). Source: `include/openenclave/internal/report.h`.
//! - `oe_attestation_header_t` (28 bytes): version 3 (4 bytes), format UUID (16 bytes), size of the
//!   data (8 bytes). Behind the quote are custom claims, whose SHA-256 begins REPORTDATA. Open
//!   Enclave does not read version 2 any more. Sources: `common/attest_plugin.h`,
//!   `include/openenclave/attestation/sgx/evidence.h`.

use sgx::Report;

use crate::binding::is_digest;
use crate::error::{Problem, ReadError};
use crate::quote_bytes;
use crate::reader::{Reader, wrapped};
use crate::wrapping::Wrapping;
use crate::{Binding, Content, Evidence};

/// Report types.
const LOCAL: u32 = 1;
const REMOTE: u32 = 2;

/// The version of `oe_attestation_header_t`.
const VERSION: u32 = 3;

/// The formats of evidence: UUID, name, and contents.
const FORMATS: [(u128, &str, Format); 5] = [
    (0xa3a21e87_1b4d4014_b70aa125_d2fbcd8c, "SGX ECDSA", Format::QuoteAndClaims),
    (0x8ba70286_c1cf11ed_afa10242_ac120002, "TDX", Format::Quote),
    (0x09268c33_6e0b45e5_8a271564_4d0ef89a, "SGX local attestation", Format::Report),
    (0xf228aa3f_de4d49d3_884cb2aa_87a50da6, "SGX EPID linkable", Format::Quote),
    (0x5c35d290_a2c24c55_9e135ad7_32746c88, "SGX EPID unlinkable", Format::Quote),
];

#[derive(Clone, Copy)]
enum Format {
    Quote,
    QuoteAndClaims,
    Report,
}

/// Reads the contents behind a header, if the bytes begin with one.
pub(crate) fn read(reader: Reader, bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    read_report(reader, bytes).or_else(|| read_evidence(reader, bytes))
}

fn read_report(reader: Reader, bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    let (1, rest) = number(bytes)? else { return None };
    let (report_type @ (LOCAL | REMOTE), rest) = number(rest)? else { return None };
    let form = "the Open Enclave report";
    let (size, rest) = rest.split_first_chunk()?;
    let report = take(form, rest, u64::from_le_bytes(*size))?;
    let evidence = report.and_then(|report| match report_type {
        LOCAL => local_report(report),
        _ => reader.field()?.read_binary(report),
    });
    Some(wrapped(evidence, Wrapping::OpenEnclaveReport))
}

fn read_evidence(reader: Reader, bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    let (version, rest) = number(bytes)?;
    let (uuid, rest) = rest.split_first_chunk::<16>()?;
    let uuid = u128::from_be_bytes(*uuid);
    let (_, name, format) = FORMATS.iter().find(|(known, ..)| *known == uuid)?;
    let (size, rest) = rest.split_first_chunk()?;
    let form = "the Open Enclave evidence";
    if version != VERSION {
        let reason = format!("its header has version {version}, not {VERSION}");
        return Some(Err(Problem::Malformed { form, reason }.into()));
    }
    let data = take(form, rest, u64::from_le_bytes(*size))?;
    let evidence = data.and_then(|data| match format {
        Format::QuoteAndClaims => quote_and_claims(reader, data),
        Format::Report => local_report(data),
        Format::Quote => reader.field()?.read_binary(data),
    });
    Some(wrapped(evidence, Wrapping::OpenEnclaveEvidence(name)))
}

/// A quote and custom claims of any size.
fn quote_and_claims(reader: Reader, data: &[u8]) -> Result<Evidence, ReadError> {
    let (quote, claims) = quote_bytes::split(data)?;
    let mut evidence = reader.field()?.read_binary(quote)?;
    let outcome = match is_digest(evidence.report_data_digest(), claims) {
        true => Ok("REPORTDATA begins with their SHA-256"),
        false => Err("REPORTDATA does not begin with their SHA-256".to_owned()),
    };
    evidence.bindings.push(Binding { subject: "the custom claims", outcome });
    Ok(evidence)
}

/// A REPORT. Custom claims may follow; they cannot be checked here.
fn local_report(data: &[u8]) -> Result<Evidence, ReadError> {
    let size = size_of::<Report>();
    let report = data.get(..size).ok_or(Problem::Malformed {
        form: "the local report",
        reason: format!("it has {} bytes of {size}", data.len()),
    })?;
    Ok(Evidence::new(Content::LocalReport, report))
}

/// The bytes by the size in the header; zeros may follow. `None` if others follow: it was no
/// header.
fn take<'a>(form: &'static str, bytes: &'a [u8], size: u64) -> Option<Result<&'a [u8], ReadError>> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let Some((data, rest)) = bytes.split_at_checked(size) else {
        let reason = format!("its header states {size} bytes, and {} follow", bytes.len());
        return Some(Err(Problem::Malformed { form, reason }.into()));
    };
    rest.iter().all(|byte| *byte == 0).then_some(Ok(data))
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}
