//! The extent of a quote of any version, and the place of REPORTDATA in it.
//!
//! Versions 3, 4 and 5 are laid out alike: a header of 48 bytes, a report body, the length of the
//! signature data (4 bytes, little-endian) and the signature data. Version 5 has a descriptor of 6
//! bytes before the report body: its type (2 bytes) and its size (4 bytes). Sources:
//! `sgx_quote_3.h`, `sgx_quote_4.h` and `sgx_quote_5.h` of the DCAP API.

use sgx::{QuoteHeader, ReportBody, Tee};

use crate::error::{Problem, ReadError};
use crate::wrapping::Wrapping;
use crate::{Content, Evidence};

/// The size of the header in bytes, in every version, EPID quotes included.
const HEADER_SIZE: usize = 48;

const SGX_BODY_SIZE: usize = size_of::<ReportBody>();
/// The report body of TDX 1.0 in bytes; the one of TDX 1.5 goes on with 64 bytes more.
const TDX_BODY_SIZE: usize = 584;
/// The size of a version 5 descriptor in bytes.
const DESCRIPTOR_SIZE: usize = 6;
/// The offsets of REPORTDATA within a report body, in bytes.
const SGX_REPORT_DATA_OFFSET: usize = 320;
const TDX_REPORT_DATA_OFFSET: usize = 520;

/// An ECDSA quote, if the bytes begin like one.
pub(crate) fn read(bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    let version = version(bytes)?;
    matches!(version, 3..=5).then(|| read_version(bytes, version).map_err(ReadError::from))
}

/// True if the bytes begin with the header of a quote by Intel's QE, which no other structure does.
pub(crate) fn has_intel_header(bytes: &[u8]) -> bool {
    matches!(version(bytes), Some(3..=5))
        && bytes.get(12..28) == Some(&QuoteHeader::INTEL_QE_VENDOR_ID)
}

/// The quote at the front of the bytes, and what follows it.
pub(crate) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Problem> {
    let version = version(bytes).unwrap_or_default();
    let size = body_size(bytes, version)?;
    let body_end = body_start(version).saturating_add(size);
    let length = u32_at(bytes, body_end, "signature data length")?;
    let end = body_end.saturating_add(4).saturating_add(length as usize);
    bytes.split_at_checked(end).ok_or(Problem::Truncated {
        part: "signature data",
        end,
        size: bytes.len(),
    })
}

/// REPORTDATA, 64 bytes, within the bytes of a structure of this kind.
pub(crate) fn report_data(content: Content, bytes: &[u8]) -> Option<&[u8]> {
    let at = match content {
        Content::Quote { version, tee: Tee::Sgx } => {
            body_start(version).checked_add(SGX_REPORT_DATA_OFFSET)?
        }
        Content::Quote { version, tee: Tee::Tdx } => {
            body_start(version).checked_add(TDX_REPORT_DATA_OFFSET)?
        }
        Content::EpidQuote { .. } => HEADER_SIZE.checked_add(SGX_REPORT_DATA_OFFSET)?,
        Content::LocalReport => SGX_REPORT_DATA_OFFSET,
        Content::Structure => return None,
    };
    bytes.get(at..)?.get(..64)
}

/// The offset of the report body in bytes.
fn body_start(version: u16) -> usize {
    if version == 5 { HEADER_SIZE.saturating_add(DESCRIPTOR_SIZE) } else { HEADER_SIZE }
}

fn read_version(bytes: &[u8], version: u16) -> Result<Evidence, Problem> {
    let (quote, rest) = split(bytes)?;
    let evidence = Evidence::new(Content::Quote { version, tee: tee(quote, version)? }, quote);
    if rest.is_empty() {
        return Ok(evidence);
    }
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Problem::Oversized { end: quote.len(), excess: rest.len() });
    }
    Ok(evidence.within(Wrapping::Padded(bytes.len())))
}

fn version(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|version| u16::from_le_bytes(*version))
}

/// Version 3 has reserved bytes instead of a TEE type; it is always of SGX.
fn tee(bytes: &[u8], version: u16) -> Result<Tee, Problem> {
    match (version, u32_at(bytes, 4, "header")?) {
        (3, _) | (_, 0) => Ok(Tee::Sgx),
        (_, 0x81) => Ok(Tee::Tdx),
        (_, other) => Err(Problem::Malformed {
            form: "the quote's header",
            reason: format!("its TEE type {other:#x} is neither SGX (0) nor TDX (0x81)"),
        }),
    }
}

fn body_size(bytes: &[u8], version: u16) -> Result<usize, Problem> {
    if version == 5 {
        return Ok(u32_at(bytes, HEADER_SIZE.saturating_add(2), "report body descriptor")? as usize);
    }
    Ok(match tee(bytes, version)? {
        Tee::Sgx => SGX_BODY_SIZE,
        Tee::Tdx => TDX_BODY_SIZE,
    })
}

fn u32_at(bytes: &[u8], at: usize, part: &'static str) -> Result<u32, Problem> {
    let value = bytes.get(at..).and_then(|rest| rest.first_chunk());
    value.map(|value| u32::from_le_bytes(*value)).ok_or(Problem::Truncated {
        part,
        end: at.saturating_add(4),
        size: bytes.len(),
    })
}
