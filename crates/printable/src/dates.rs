//! Points in time, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time as in RFC 3339, in whole seconds; empty after the year 9999.
#[must_use]
pub fn rfc3339(at: SystemTime) -> String {
    utc(at).and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// The day, as in `2025-12-31`; empty after the year 9999.
#[must_use]
pub fn date(at: SystemTime) -> String {
    utc(at).map(|at| at.date().to_string()).unwrap_or_default()
}

/// `OffsetDateTime::from` would panic outside its range.
fn utc(at: SystemTime) -> Option<OffsetDateTime> {
    let seconds = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok()?,
        Err(before) => i64::try_from(before.duration().as_secs()).ok()?.checked_neg()?,
    };
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_utc_in_whole_seconds() {
        let at = UNIX_EPOCH + Duration::from_millis(1_767_225_599_999);
        assert_eq!(rfc3339(at), "2025-12-31T23:59:59Z");
        assert_eq!(date(at), "2025-12-31");
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1969-12-31T23:59:59Z");
        let far = UNIX_EPOCH + Duration::from_secs(1 << 60);
        assert_eq!((rfc3339(far), date(far)), (String::new(), String::new()));
    }
}
