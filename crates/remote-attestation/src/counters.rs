//! The counters that the program prints at its end.

use std::fmt;

/// The numbers of quotes and attestations.
///
/// One that failed is one for which the Quoter gave an error, so that an application would have
/// seen it: for 15 seconds it has asked a service again that was busy or being restarted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    /// Requested quotes.
    pub(crate) quotes: u64,
    /// Quotes that failed.
    pub(crate) failed: u64,
    /// Completed attestations.
    pub(crate) attested: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quotes: {}, failed: {}", self.quotes, self.failed)
    }
}
