//! The overall condition, and the problems behind it.

use std::fmt;

use serde::Serialize;

use crate::failure::Failure;

/// The condition, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Condition {
    /// No action is needed.
    Good,
    /// Quotes verify, but something needs attention.
    Attention,
    /// A TCB is not up to date: verifiers may reject its quotes.
    OutOfDate,
    /// Something is revoked or has expired: verifiers reject quotes.
    Invalid,
}

/// A problem and its fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Problem {
    condition: Condition,
    detail: String,
    fix: String,
}

impl Condition {
    /// The result of the command.
    pub(super) fn result(self) -> Result<(), Failure> {
        match self {
            Self::Good => Ok(()),
            Self::Attention => Err(Failure::NeedsAttention),
            Self::OutOfDate => Err(Failure::OutOfDate),
            Self::Invalid => Err(Failure::Invalid),
        }
    }
}

impl Problem {
    pub(super) fn new(condition: Condition, detail: String, fix: &str) -> Self {
        Self { condition, detail, fix: fix.to_owned() }
    }

    pub(super) fn condition(&self) -> Condition {
        self.condition
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "GOOD",
            Self::Attention => "NEEDS ATTENTION",
            Self::OutOfDate => "OUT OF DATE",
            Self::Invalid => "REVOKED OR EXPIRED",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "! {}\n      fix: {}", printable::line(&self.detail), self.fix)
    }
}
