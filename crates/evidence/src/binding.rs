//! Data that came with a quote, checked against REPORTDATA.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The check that REPORTDATA binds data that came with the quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The data, such as `the certificate's key`.
    pub subject: &'static str,
    /// The rule that binds it, or the reason that it is not bound.
    pub outcome: Result<&'static str, String>,
}

impl Binding {
    /// The binding as text, if it failed.
    pub(crate) fn failure(&self) -> Option<String> {
        self.outcome.is_err().then(|| self.to_string())
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok(rule) => write!(f, "{} is bound to the quote: {rule}", self.subject),
            Err(reason) => write!(f, "{} is not bound to the quote: {reason}", self.subject),
        }
    }
}

/// True if the first 32 bytes of REPORTDATA are the SHA-256 of `data`.
pub(crate) fn is_digest(report_data: Option<&[u8]>, data: &[u8]) -> bool {
    report_data == Some(digest(&SHA256, data).as_ref())
}
