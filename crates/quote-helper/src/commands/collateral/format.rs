//! Times, as people and programs read them.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The whole days from `now` until `until`; negative if that has passed.
pub(super) fn days_left(until: SystemTime, now: SystemTime) -> i64 {
    let days = |time: Duration, round_up: u64| {
        let seconds = time.as_secs().saturating_add(round_up);
        i64::try_from(seconds.checked_div(DAY.as_secs()).unwrap_or_default()).unwrap_or(i64::MAX)
    };
    match until.duration_since(now) {
        Ok(left) => days(left, 0),
        Err(over) => days(over.duration(), DAY.as_secs().saturating_sub(1)).saturating_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_left_are_whole_and_negative_in_the_past() {
        let now = SystemTime::UNIX_EPOCH + 1_000 * DAY;
        let second = Duration::from_secs(1);
        assert_eq!(days_left(now + 3 * DAY, now), 3);
        assert_eq!(days_left(now + 3 * DAY - second, now), 2);
        assert_eq!(days_left(now, now), 0);
        assert_eq!(days_left(now - second, now), -1);
        assert_eq!(days_left(now - DAY, now), -1);
        assert_eq!(days_left(now - DAY - second, now), -2);
    }
}
