//! Where and why the evidence does not hold.

use crate::{CollateralError, Decision, Step};

/// Why a step did not pass, and so what is decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Problem {
    /// The evidence says no.
    Refused(String),
    /// The evidence is missing or unusable.
    Undecided(String),
}

impl From<CollateralError> for Problem {
    fn from(error: CollateralError) -> Self {
        let reason = error.to_string();
        match error {
            CollateralError::Unreadable { .. }
            | CollateralError::NotYetValid { .. }
            | CollateralError::Expired { .. } => Self::Undecided(reason),
            CollateralError::UntrustedRoot { .. }
            | CollateralError::WronglySigned { .. }
            | CollateralError::Revoked { .. } => Self::Refused(reason),
        }
    }
}

/// The step that did not pass. Failures are ordered by how far they got.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// `None` when dcap-qvl refused and no step of ours shows why.
    pub(crate) step: Option<Step>,
    pub(crate) problem: Problem,
}

impl Failure {
    /// A refusal that belongs to no known step.
    pub(crate) fn elsewhere(reason: String) -> Self {
        Self { step: None, problem: Problem::Refused(reason) }
    }

    pub(crate) fn into_decision(self) -> (Decision, String) {
        match self.problem {
            Problem::Refused(reason) => (Decision::Refused, reason),
            Problem::Undecided(reason) => (Decision::Undecided, reason),
        }
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
