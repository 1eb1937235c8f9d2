//! How bad things are.

use std::fmt;

use serde::Serialize;

use crate::failure::Failure;

/// How bad things are, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Condition {
    /// Nothing is to be done.
    Good,
    /// Quotes verify today, and somebody should have a look.
    Attention,
    /// A TCB is not up to date: verifiers may refuse its quotes.
    OutOfDate,
    /// Something is revoked or has expired: verifiers refuse quotes.
    Invalid,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Problem {
    condition: Condition,
    detail: String,
    fix: String,
}

impl Condition {
    /// How the command ends.
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
