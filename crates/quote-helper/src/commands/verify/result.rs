//! The result for one quote, as text, JSON or YAML.

use std::fmt;

use anyhow::anyhow;
use serde::Serialize;
use sgx::Describe;
use verify::{Attested, ClaimedRoot, Decision, StepResult, Verdict};

use super::advice::advice;
use crate::failure::Failure;
use crate::quote_inputs::InputName;

/// The version of the JSON form. Members are added without a new one; none is removed or changed.
const VERSION: u32 = 1;

/// The result for one quote.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct VerificationResult {
    /// The version of this form.
    version: u32,
    /// The file, as on the command line; null if the error is not about a file.
    file: Option<String>,
    /// The line of the file, from 1; null for a whole file.
    line: Option<u64>,
    /// The wrappings in which the quote was found; null if there were none.
    read_from: Option<String>,
    /// The decision.
    decision: VerificationDecision,
    /// The reason, for programs.
    code: String,
    /// The reason, for people; null if the quote is trusted.
    reason: Option<String>,
    /// Hints, for people.
    advice: Vec<String>,
    /// The root of the certificates in the quote.
    quote_root: Option<ClaimedRoot>,
    /// Every step and its outcome.
    steps: Vec<StepResult>,
    /// The facts that the evidence proves; null unless it holds.
    attested: Option<Attested>,
}

/// A decision, or an error before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum VerificationDecision {
    Trusted,
    Refused,
    Undecided,
    Error,
}

impl VerificationResult {
    pub(super) fn of_verdict(name: InputName, read_from: Option<String>, verdict: Verdict) -> Self {
        let advice = advice(&verdict);
        let Verdict { decision, code, reason, quote_root, steps, attested } = verdict;
        Self {
            version: VERSION,
            file: Some(name.file),
            line: name.line,
            read_from,
            decision: decision.into(),
            code: code.to_string(),
            reason,
            advice,
            quote_root,
            steps,
            attested,
        }
    }

    /// The result of an error, about this input if any.
    pub(super) fn of_error(name: Option<InputName>, code: &str, reason: String) -> Self {
        Self {
            version: VERSION,
            line: name.as_ref().and_then(|name| name.line),
            file: name.map(|name| name.file),
            read_from: None,
            decision: VerificationDecision::Error,
            code: code.to_owned(),
            reason: Some(reason),
            advice: Vec::new(),
            quote_root: None,
            steps: Vec::new(),
            attested: None,
        }
    }

    /// The result in one line, after the name of its input.
    pub(super) fn line(&self) -> String {
        let file = self.file.as_deref().map(printable::line).unwrap_or_default();
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{file}{line}: {}", self.headline())
    }

    fn headline(&self) -> String {
        let decision = match self.decision {
            VerificationDecision::Trusted => "TRUSTED",
            VerificationDecision::Refused => "REFUSED",
            VerificationDecision::Undecided => "COULD NOT DECIDE",
            VerificationDecision::Error => "ERROR",
        };
        match &self.reason {
            Some(reason) => format!("{decision}: {}", printable::line(reason)),
            None => decision.to_owned(),
        }
    }
}

impl fmt::Display for VerificationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `main` prints errors.
        if self.decision == VerificationDecision::Error {
            return Ok(());
        }
        writeln!(f, "{}", self.headline())?;
        self.advice.iter().try_for_each(|advice| writeln!(f, "  hint: {advice}"))?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step}"))?;
        match &self.attested {
            Some(attested) => write!(f, "{}", attested.describe()),
            None => Ok(()),
        }
    }
}

impl From<Decision> for VerificationDecision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Trusted => Self::Trusted,
            Decision::Refused => Self::Refused,
            Decision::Undecided => Self::Undecided,
        }
    }
}

/// The numbers of results, which determine the exit code: refusals come before errors, errors
/// before undecided quotes.
#[derive(Default)]
pub(super) struct ResultCounts {
    total: u64,
    refused: u64,
    undecided: u64,
    errors: u64,
    last_error: Option<String>,
}

impl ResultCounts {
    pub(super) fn add(&mut self, result: &VerificationResult) {
        self.total = self.total.saturating_add(1);
        match result.decision {
            VerificationDecision::Trusted => {}
            VerificationDecision::Refused => self.refused = self.refused.saturating_add(1),
            VerificationDecision::Undecided => self.undecided = self.undecided.saturating_add(1),
            VerificationDecision::Error => {
                self.errors = self.errors.saturating_add(1);
                self.last_error.clone_from(&result.reason);
            }
        }
    }

    pub(super) fn into_result(self) -> Result<(), Failure> {
        let Self { total, refused, undecided, errors, last_error } = self;
        match (refused, errors, undecided) {
            (0, 0, 0) => Ok(()),
            (0, 0, _) => Err(Failure::Undecided),
            (0, _, _) => Err(Failure::Error(match last_error {
                Some(reason) if total == 1 => anyhow!(reason),
                _ => anyhow!("{errors} of {total} inputs could not be read"),
            })),
            _ => Err(Failure::Refused),
        }
    }
}
