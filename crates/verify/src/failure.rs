//! The step at which the evidence fails, and the reason.

use crate::{CollateralError, Step, VerdictCode};

/// The reason for the failure of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    code: VerdictCode,
    reason: String,
    is_of_crl: bool,
}

impl Problem {
    pub(crate) fn new(code: VerdictCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), is_of_crl: false }
    }
}

impl From<CollateralError> for Problem {
    fn from(error: CollateralError) -> Self {
        let (code, reason) = (VerdictCode::from(&error), error.to_string());
        Self { code, reason, is_of_crl: error.is_of_crl() }
    }
}

/// The step at which the evidence fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// The reason, for programs.
    pub code: VerdictCode,
    /// The reason, for people.
    pub reason: String,
    /// True if it is a CRL that is wrong.
    pub is_of_crl: bool,
}

/// Adds the step to a problem.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T, E: Into<Problem>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|error| {
            let Problem { code, reason, is_of_crl } = error.into();
            Failure { step, code, reason, is_of_crl }
        })
    }
}
