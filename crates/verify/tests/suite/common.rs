//! Material for the tests: public production quotes, and a platform under a root of its own.

pub(crate) mod platform;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use test_support::sample::{SAMPLE_TIME, Sample, sample};
use verify::{
    Decision, Policy, Step, StepOutcome, TcbPolicy, TcbStatus, TrustedRoots, Verdict, verify,
};

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Accepts whatever the evidence proves.
pub(crate) fn lenient() -> Policy {
    let tcb = TcbPolicy { accepted_statuses: TcbStatus::ALL.to_vec(), ..TcbPolicy::default() };
    Policy { allow_debug: true, tcb, ..Policy::default() }
}

/// Adds requirements to a policy.
pub(crate) type Requirement = fn(&mut Policy);

/// The lenient policy with further requirements.
pub(crate) fn lenient_but(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = lenient();
    change(&mut policy);
    policy
}

/// The sample under Intel's root at its time, with the lenient policy.
pub(crate) fn verify_sample(sample: &Sample) -> Verdict {
    let Sample { quote, collateral } = sample;
    verify(quote, collateral, &TrustedRoots::intel(), at(SAMPLE_TIME), &lenient())
}

/// Checks decision and failed step, and that the steps around it say the right thing.
#[track_caller]
pub(crate) fn assert_fails(verdict: &Verdict, decision: Decision, failed: Step) {
    assert_eq!(verdict.decision, decision, "{verdict}");
    assert!(verdict.attested.is_none() && verdict.trusted().is_none(), "{verdict}");
    for result in &verdict.steps {
        let right = match &result.outcome {
            StepOutcome::Passed => result.step < failed,
            StepOutcome::Failed(reason) => {
                result.step == failed && verdict.reason.as_ref() == Some(reason)
            }
            StepOutcome::NotReached => result.step > failed,
        };
        assert!(right, "expected to fail at {failed:?}:\n{verdict}");
    }
}
