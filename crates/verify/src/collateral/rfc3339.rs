//! Dates as text.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serializer, ser};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// RFC 3339, UTC, in whole seconds; `None` for a time out of its range.
pub(crate) fn rfc3339(at: SystemTime) -> Option<String> {
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    date.format(&Rfc3339).ok()
}

pub(crate) fn serialize_rfc3339<S: Serializer>(
    at: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = rfc3339(*at).ok_or_else(|| ser::Error::custom("a time after the year 9999"))?;
    serializer.serialize_str(&text)
}
