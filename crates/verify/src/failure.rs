//! The step at which the evidence fails, and the reason.

use crate::{CollateralError, Step, VerdictCode};

/// The reason for the failure of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) code: VerdictCode,
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn new(code: VerdictCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl From<CollateralError> for Problem {
    fn from(error: CollateralError) -> Self {
        Self::new(VerdictCode::from(&error), error.to_string())
    }
}

/// A failed verification. A later step is the greater failure.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// `None` if no step fails by itself.
    pub(crate) step: Option<Step>,
    pub(crate) problem: Problem,
}

impl Failure {
    /// A refusal by dcap-qvl that no step explains.
    pub(crate) fn without_step(reason: String) -> Self {
        Self { step: None, problem: Problem::new(VerdictCode::EvidenceRefused, reason) }
    }
}

/// Adds the step to a problem.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T, E: Into<Problem>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|error| Failure { step: Some(step), problem: error.into() })
    }
}
