//! Quotes that are signed with EPID.
//!
//! `sgx_quote_t` of the SGX SDK's `sgx_quote.h`: version (2 bytes), signature type (2 bytes, 0
//! unlinkable or 1 linkable), EPID group id (4), QE SVN (2), PCE SVN (2), extended group id (4),
//! base name (32), report body (384), signature length (4) and signature.

use crate::error::ReadError;
use crate::{Content, Evidence};

/// The size in bytes of what is before the signature.
const UNSIGNED_SIZE: usize = 436;

/// An EPID quote, if the bytes begin like one and are enough.
pub(crate) fn read(bytes: &[u8]) -> Option<Result<Evidence, ReadError>> {
    let [version @ (1 | 2), 0, 0 | 1, 0] = bytes.first_chunk::<4>()? else { return None };
    let content = Content::EpidQuote { version: u16::from(*version) };
    (bytes.len() >= UNSIGNED_SIZE).then(|| Ok(Evidence::new(content, bytes)))
}
