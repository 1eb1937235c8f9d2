//! The verdict.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;
use sgx::{Describe, Quote};

use crate::{Attested, ClaimedRoot, Failure, Policy, Step, StepOutcome, StepResult, VerdictCode};

/// The decision of a verification. The crate documentation defines the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The evidence holds, and the policy accepts.
    Trusted,
    /// The evidence or the policy is against the quote.
    Refused,
    /// Evidence is missing or unusable.
    Undecided,
}

/// The result of [`verify`](crate::verify).
///
/// In JSON `{"decision", "code", "reason", "quote_root", "steps", "attested"}`, of which `reason`,
/// `quote_root` and `attested` may be null. Names of members are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// The reason, for programs; the first one if several rules of the policy refuse.
    pub code: VerdictCode,
    /// The reason, for people; `None` if the quote is trusted.
    pub reason: Option<String>,
    /// The root of the certificates in the quote, trusted or not; `None` if it has none.
    pub quote_root: Option<ClaimedRoot>,
    /// Every step in order: [`Step::EVIDENCE`], for a TD [`Step::TdAttributes`], then those of the
    /// policy.
    pub steps: Vec<StepResult>,
    /// The facts that the evidence proves; `None` unless all its steps passed. Present also when
    /// the policy refuses: to rely on it use [`Verdict::trusted`].
    pub attested: Option<Attested>,
}

impl Verdict {
    /// The proved facts, if the decision is [`Decision::Trusted`].
    #[must_use]
    pub fn trusted(&self) -> Option<&Attested> {
        self.attested.as_ref().filter(|_| self.decision == Decision::Trusted)
    }

    /// The verdict on bytes without a quote, for this reason.
    #[must_use]
    pub fn without_quote(reason: String, policy: &Policy) -> Self {
        let (step, code) = (Step::QuoteFormat, VerdictCode::NotAQuote);
        Self::of_failure(Failure { step, code, reason, is_of_crl: false }, policy)
    }

    /// The verdict on a quote without collateral, for this reason.
    #[must_use]
    pub fn without_collateral(quote: &[u8], reason: String, policy: &Policy) -> Self {
        let (step, code) = (Step::RootCrl, VerdictCode::CollateralUnavailable);
        let failure = Failure { step, code, reason, is_of_crl: false };
        let quote = Quote::parse_padded(quote).ok();
        Self::of_failure(failure, policy).with_root(quote.and_then(|q| ClaimedRoot::of_quote(&q)))
    }

    pub(crate) fn with_root(self, quote_root: Option<ClaimedRoot>) -> Self {
        Self { quote_root, ..self }
    }

    /// The verdict of the policy on evidence that holds.
    pub(crate) fn of_policy(attested: Attested, policy: &Policy) -> Self {
        let rules = policy.check(&attested);
        let reasons: Vec<String> = rules.iter().filter_map(failed).collect();
        let broken = rules.iter().find(|result| failed(result).is_some());
        let code = broken.map_or(VerdictCode::Trusted, |result| VerdictCode::Policy(result.step));
        let proved = evidence(attested.body.td().is_some());
        let proved = proved.map(|step| StepResult { step, outcome: StepOutcome::Passed });
        Self {
            decision: code.decision(),
            code,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            quote_root: None,
            steps: proved.chain(rules).collect(),
            attested: Some(attested),
        }
    }

    /// The verdict on evidence that does not hold. Steps before the failed one passed, those after
    /// it were not reached.
    pub(crate) fn of_failure(failure: Failure, policy: &Policy) -> Self {
        let Failure { step: failed, code, reason, .. } = failure;
        let outcome = |step: Step| match step.cmp(&failed) {
            Ordering::Less => StepOutcome::Passed,
            Ordering::Equal => StepOutcome::Failed(reason.clone()),
            Ordering::Greater => StepOutcome::NotReached,
        };
        let steps = evidence(failed == Step::TdAttributes).chain(policy.steps());
        let steps = steps.map(|step| StepResult { step, outcome: outcome(step) }).collect();
        let (decision, reason) = (code.decision(), Some(reason));
        Self { decision, code, reason, quote_root: None, steps, attested: None }
    }
}

/// The steps of the evidence for an enclave or a TD.
fn evidence(is_td: bool) -> impl Iterator<Item = Step> {
    Step::EVIDENCE.into_iter().chain(is_td.then_some(Step::TdAttributes))
}

fn failed(result: &StepResult) -> Option<String> {
    match &result.outcome {
        StepOutcome::Failed(reason) => Some(reason.clone()),
        _ => None,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = match self.decision {
            Decision::Trusted => "TRUSTED",
            Decision::Refused => "REFUSED",
            Decision::Undecided => "COULD NOT DECIDE",
        };
        match &self.reason {
            Some(reason) => writeln!(f, "{decision}: {}", printable::line(reason))?,
            None => writeln!(f, "{decision}")?,
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step}"))?;
        match &self.attested {
            Some(attested) => write!(f, "{}", attested.describe()),
            None => Ok(()),
        }
    }
}
