//! The count at the end.

use std::fmt;

/// How many quotes there were.
///
/// One that failed is one for which the Quoter gave an error, so that an application would have
/// seen it: for 15 seconds it has asked a service again that was busy or being restarted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    /// How often a quote was asked for.
    pub(crate) quotes: u64,
    /// How many of these failed.
    pub(crate) failed: u64,
    /// How often the two have attested each other.
    pub(crate) attested: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quotes: {}, failed: {}", self.quotes, self.failed)
    }
}
