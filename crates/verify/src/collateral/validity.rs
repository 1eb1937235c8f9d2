//! Validity periods.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::CollateralError;

/// The time of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    /// Everything must be valid at this time.
    At(SystemTime),
    /// No dates are checked.
    Any,
}

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

    /// Checks the dates of `what`.
    pub(crate) fn check(self, what: &str, now: Now) -> Result<(), CollateralError> {
        let Now::At(now) = now else { return Ok(()) };
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

/// The dates of several items of collateral together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollateralDates {
    /// The earliest beginning of a validity period.
    pub earliest_issue: SystemTime,
    /// The latest beginning.
    pub latest_issue: SystemTime,
    /// The earliest end.
    pub earliest_expiration: SystemTime,
}

impl CollateralDates {
    /// The dates of this item and others.
    #[must_use]
    pub fn with(self, other: impl Into<Self>) -> Self {
        let other = other.into();
        Self {
            earliest_issue: self.earliest_issue.min(other.earliest_issue),
            latest_issue: self.latest_issue.max(other.latest_issue),
            earliest_expiration: self.earliest_expiration.min(other.earliest_expiration),
        }
    }

    /// True if all items are valid then, and none expires at that moment.
    pub(crate) fn include(self, now: Now) -> bool {
        match now {
            Now::At(now) => self.latest_issue <= now && now < self.earliest_expiration,
            Now::Any => true,
        }
    }
}

impl From<Validity> for CollateralDates {
    fn from(Validity { from, until }: Validity) -> Self {
        Self { earliest_issue: from, latest_issue: from, earliest_expiration: until }
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
