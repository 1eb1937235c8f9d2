//! Revision of a document, as its issuer signed it.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Revisions are ordered by number, then by date. By the date alone, a source could serve
/// collateral that was issued recently for the evaluation before a TCB recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Revision {
    /// TCB evaluation data number of TCB info and enclave identities, CRL number of CRLs; 0 for PCK
    /// certificates, which have none.
    pub number: u64,
    /// `issueDate`, `thisUpdate` or `notBefore`.
    #[serde(with = "time::serde::rfc3339")]
    issued: OffsetDateTime,
}

impl Revision {
    pub(crate) fn new(number: u64, issued: SystemTime) -> Self {
        Self { number, issued: issued.into() }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issued = printable::rfc3339(self.issued.into());
        write!(f, "number {}, issued {issued}", self.number)
    }
}
