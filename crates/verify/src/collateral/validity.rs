//! Validity periods.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::CollateralError;

/// The validity period of an item of collateral, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore` of a certificate, `thisUpdate` of a CRL, `issueDate` of signed JSON.
    pub from: SystemTime,
    /// `notAfter` of a certificate, `nextUpdate` of all others.
    pub until: SystemTime,
}

impl Validity {
    /// The dates of signed JSON.
    pub(super) fn parse(
        what: &str,
        issue_date: &str,
        next_update: &str,
    ) -> Result<Self, CollateralError> {
        Ok(Self { from: parse_date(what, issue_date)?, until: parse_date(what, next_update)? })
    }

    pub(crate) fn check(self, what: &str, now: SystemTime) -> Result<(), CollateralError> {
        let what = || what.to_owned();
        if now < self.from {
            return Err(CollateralError::NotYetValid { what: what(), from: self.from });
        }
        if now > self.until {
            return Err(CollateralError::Expired { what: what(), until: self.until });
        }
        Ok(())
    }
}

/// A date of signed JSON: RFC 3339, not before 1970.
pub(crate) fn parse_date(what: &str, date: &str) -> Result<SystemTime, CollateralError> {
    OffsetDateTime::parse(date, &Rfc3339)
        .ok()
        .and_then(|date| u64::try_from(date.unix_timestamp()).ok())
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .ok_or_else(|| {
            CollateralError::unreadable(what, &format!("it has an invalid date: {date:?}"))
        })
}
