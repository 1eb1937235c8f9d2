//! Errors of reading a quote.

use std::fmt;

use crate::wrapping::{Wrapping, origin};

/// No quote was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The problem.
    pub(crate) problem: Problem,
    /// The wrappings removed so far, from the innermost to the outermost.
    pub(crate) wrappings: Vec<Wrapping>,
}

/// A problem with bytes that should hold a quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// The bytes are of this other kind.
    #[error(
        "there is no quote: it is {0}. Quotes are read as they are, as hexadecimal or base64, from \
         JSON, from RA-TLS certificates and from reports and evidence of Open Enclave"
    )]
    NoQuote(String),
    /// A truncated quote.
    #[error(
        "the quote is truncated: its {part} would end at byte {end}, and there are {size} bytes"
    )]
    Truncated {
        /// The part of the quote.
        part: &'static str,
        /// The end of the part, in bytes from the start of the quote.
        end: usize,
        /// The number of bytes that there are.
        size: usize,
    },
    /// Something other than padding follows after the quote.
    #[error("the quote ends at byte {end}; the {excess} bytes behind it are not all zeros")]
    Oversized {
        /// The end of the quote, in bytes from its start.
        end: usize,
        /// The number of bytes that follow.
        excess: usize,
    },
    /// A recognized form that cannot be read.
    #[error("{form} cannot be read: {reason}")]
    Malformed {
        /// The form.
        form: &'static str,
        /// The reason.
        reason: String,
    },
    /// Several quotes, in these fields.
    #[error("there are several quotes, in JSON fields {0}; put one of them into a file of its own")]
    Several(String),
    /// Wrappings nest too deeply.
    #[error("the wrappings nest deeper than {0} levels")]
    TooDeep(usize),
    /// A structure was found that no remote party can verify.
    #[error(transparent)]
    NotVerifiable(#[from] NotVerifiable),
    /// The text is too large.
    #[error("the text has {size} bytes; text of more than {limit} bytes is not read")]
    TooLarge {
        /// The size in bytes.
        size: usize,
        /// The largest size that is read, in bytes.
        limit: usize,
    },
}

impl ReadError {
    pub(crate) fn new(problem: impl Into<Problem>, wrappings: Vec<Wrapping>) -> Self {
        Self { problem: problem.into(), wrappings }
    }

    pub(crate) fn within(mut self, wrapping: Wrapping) -> Self {
        self.wrappings.push(wrapping);
        self
    }

    /// True if the bytes are unrelated to quotes, so that the search may go on.
    pub(crate) fn is_no_quote(&self) -> bool {
        matches!(self.problem, Problem::NoQuote(_))
    }
}

impl<P: Into<Problem>> From<P> for ReadError {
    fn from(problem: P) -> Self {
        Self::new(problem, Vec::new())
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match origin(&self.wrappings) {
            Some(origin) => format!("{} (read from {origin})", self.problem),
            None => self.problem.to_string(),
        };
        f.write_str(&printable::line(&message))
    }
}

impl std::error::Error for ReadError {}

/// Something other than a quote that a remote party can verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotVerifiable {
    /// A quote signed with EPID. Intel's announcement of the end:
    /// <https://api.portal.trustedservices.intel.com/content/documentation.html>.
    #[error(
        "this is an EPID quote (version {version}). Intel ended its attestation service for EPID \
         on April 2, 2025, so it can no longer be verified; make an ECDSA quote (DCAP)"
    )]
    Epid {
        /// The quote's version, 1 or 2.
        version: u16,
    },
    /// A REPORT, which only the machine that made it can check.
    #[error(
        "this is a local report (a REPORT), which only an enclave on the same machine can verify; \
         ask for a quote (in Open Enclave: remote attestation)"
    )]
    LocalReport,
    /// Another structure of a fixed size.
    #[error("this is not a quote but a structure of {size} bytes; `inspect` shows it")]
    NoQuote {
        /// Its size in bytes.
        size: usize,
    },
}
