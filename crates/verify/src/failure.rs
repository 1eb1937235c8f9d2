//! Where and why the evidence does not hold.

use crate::{CollateralError, Step, VerdictCode};

/// Why a step did not pass; the code says what is decided.
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

/// The step that did not pass. Failures are ordered by how far they got.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// `None` when no step of ours shows why, or none was taken.
    pub(crate) step: Option<Step>,
    pub(crate) problem: Problem,
}

impl Failure {
    /// A refusal that belongs to no known step.
    pub(crate) fn without_step(reason: String) -> Self {
        Self { step: None, problem: Problem::new(VerdictCode::EvidenceRefused, reason) }
    }
}

/// Names the step in which a problem turned up.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T, E: Into<Problem>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|error| Failure { step: Some(step), problem: error.into() })
    }
}
