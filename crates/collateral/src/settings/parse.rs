//! Parsers of values in flags, variables and files.

use std::time::Duration;

use bytesize::ByteSize;

use crate::TcbUpdate;

/// Maximum timeout of a request.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
/// Maximum number of retries.
const MOST_RETRIES: u32 = 100;

/// `true` or `false`.
///
/// # Errors
/// A message for people.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// A time, for instance `12h`.
///
/// # Errors
/// A message for people.
pub fn age(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{text:?} is no time such as 12h: {error}"))
}

/// A timeout of a request, up to 10 minutes.
///
/// # Errors
/// A message for people.
pub fn timeout(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if !time.is_zero() && time <= LONGEST_TIMEOUT => Ok(time),
        Ok(_) => Err(format!(
            "{text:?} is not between 1ms and {}",
            humantime::format_duration(LONGEST_TIMEOUT)
        )),
        Err(error) => Err(format!("{text:?} is no time such as 10s: {error}")),
    }
}

/// A size, for instance `64MiB`. Not 0.
///
/// # Errors
/// A message for people.
pub fn size(text: &str) -> Result<ByteSize, String> {
    match text.parse() {
        Ok(ByteSize(0)) => Err("nothing can be kept in a cache of 0 bytes".to_owned()),
        Ok(size) => Ok(size),
        Err(_) => Err(format!("{text:?} is no size such as 64MiB")),
    }
}

/// A number of retries, up to 100.
///
/// # Errors
/// A message for people.
pub fn retries(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(times @ 0..=MOST_RETRIES) => Ok(times),
        _ => Err(format!("{text:?} is no number of times from 0 to {MOST_RETRIES}")),
    }
}

/// A TCB evaluation: `standard`, `early`, or the number of one.
///
/// # Errors
/// A message for people.
pub fn evaluation(text: &str) -> Result<TcbUpdate, String> {
    match text.to_ascii_lowercase().as_str() {
        "standard" => Ok(TcbUpdate::Standard),
        "early" => Ok(TcbUpdate::Early),
        other => other.parse().map(TcbUpdate::Number).map_err(|_| {
            format!(
                "{text:?} is neither \"standard\" nor \"early\" nor a TCB evaluation data number"
            )
        }),
    }
}
