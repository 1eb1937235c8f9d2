//! The verdicts of Intel's verifier and of this crate, over evidence that the test's PKI signed
//! after a change.
//!
//! The tables have Intel's answer by the rules of its verification library, as its documentation
//! and source state them. We may be stricter, never more lenient.

mod authority;
mod dates;
mod evidence;
mod issuers;
mod memory;
mod pieces;
mod pki;
mod sgx_extension;
mod tcb;

use std::sync::atomic::{AtomicUsize, Ordering};

use evidence::{Evidence, NOW};
use parking_lot::Mutex;
use verify::{Decision, Step, StepOutcome, TcbStatus, Verdict, verify};

use crate::common::{at, lenient};

/// The result of one of the two verifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The evidence holds, and this is the TCB status.
    Accepts(TcbStatus),
    /// It does not hold; ours says at which step.
    Rejects(Decision, Step),
}

/// One line of a table.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) change: Box<dyn Fn(&mut Evidence) + Sync>,
    /// Intel's verifier: `Ok` with the TCB status, or its error.
    pub(crate) intel: Result<TcbStatus, &'static str>,
    pub(crate) ours: Answer,
}

pub(crate) fn case(
    name: impl Into<String>,
    change: impl Fn(&mut Evidence) + Sync + 'static,
    intel: Result<TcbStatus, &'static str>,
    ours: Answer,
) -> Case {
    Case { name: name.into(), change: Box::new(change), intel, ours }
}

pub(crate) const UP_TO_DATE: Answer = Answer::Accepts(TcbStatus::UpToDate);
pub(crate) const INTEL_OK: Result<TcbStatus, &str> = Ok(TcbStatus::UpToDate);

pub(crate) const fn refused(step: Step) -> Answer {
    Answer::Rejects(Decision::Refused, step)
}

pub(crate) const fn undecided(step: Step) -> Answer {
    Answer::Rejects(Decision::Undecided, step)
}

#[test]
fn evidence_as_it_is_made_is_accepted() {
    run(&[case("no change", |_| (), INTEL_OK, UP_TO_DATE)]);
}

/// Runs a table on all processors, and tells all lines that are not as they should be.
#[track_caller]
pub(crate) fn run(cases: &[Case]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = difference(case) {
                        wrong.lock().push(difference);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn difference(case: &Case) -> Option<String> {
    let Case { name, change, intel, ours } = case;
    if let (Err(error), Answer::Accepts(_)) = (intel, ours) {
        return Some(format!("{name}: the table has us accept what Intel's rejects by {error}"));
    }
    let mut evidence = Evidence::new();
    change(&mut evidence);
    let (quote, collateral, roots) = evidence.sign();
    let verdict = verify(&quote, &collateral, &roots, at(NOW.cast_unsigned()), &lenient());
    let actual = answer(&verdict);
    (actual != Some(*ours))
        .then(|| format!("{name}: expected {ours:?}, got {actual:?}: {:?}", verdict.reason))
}

fn answer(verdict: &Verdict) -> Option<Answer> {
    if let Some(attested) = verdict.trusted() {
        return Some(Answer::Accepts(attested.tcb.status));
    }
    let mut steps = verdict.steps.iter();
    let failed = steps.find(|result| matches!(result.outcome, StepOutcome::Failed(_)))?;
    Some(Answer::Rejects(verdict.decision, failed.step))
}
