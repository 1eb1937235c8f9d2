//! The requirements on the TCB.

use std::fmt;
use std::time::SystemTime;

use super::rule::{Rule, at_least};
use crate::{Attested, Step, TcbStatus};

/// The requirements on the TCB of platform, TDX module and Quoting Enclave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbPolicy {
    /// The TCB statuses to accept, by default `UpToDate` alone. Each other one stands for a known
    /// weakness; a common one is `SWHardeningNeeded`, for enclaves with the mitigations that the
    /// advisories require. `Revoked` has no effect: it is always refused.
    pub accepted_statuses: Vec<TcbStatus>,
    /// Intel's security advisories to accept, such as `INTEL-SA-00615`. A status with at least one
    /// advisory is accepted if all of them are in this list; one without advisories only by its
    /// name.
    pub accepted_advisories: Vec<String>,
    /// The earliest date of the TCB level of platform and QE.
    pub minimum_date: Option<SystemTime>,
    /// The lowest TCB evaluation data number of TCB info and QE identity. Collateral from before a
    /// TCB recovery is still signed and in date; only this number excludes it.
    pub minimum_evaluation_data_number: Option<u32>,
}

impl Default for TcbPolicy {
    fn default() -> Self {
        Self {
            accepted_statuses: vec![TcbStatus::UpToDate],
            accepted_advisories: Vec::new(),
            minimum_date: None,
            minimum_evaluation_data_number: None,
        }
    }
}

impl TcbPolicy {
    pub(super) fn rules(&self) -> impl Iterator<Item = (Step, Option<Rule<'_>>)> {
        let status: Rule<'_> = Box::new(|attested| self.check_status(attested));
        let date = at_least("the TCB date", self.minimum_date.map(Date), |attested| {
            Ok(Date(attested.tcb.date))
        });
        let number = self.minimum_evaluation_data_number;
        let number = at_least("the TCB evaluation data number", number, |attested| {
            Ok(attested.tcb.evaluation_data_number)
        });
        let rules =
            [(Step::TcbStatus, Some(status)), (Step::TcbDate, date), (Step::TcbEvaluation, number)];
        rules.into_iter()
    }

    fn check_status(&self, Attested { tcb, .. }: &Attested) -> Result<(), String> {
        let is_accepted = |id: &&String| self.accepted_advisories.contains(*id);
        let refused: Vec<&str> =
            tcb.advisory_ids.iter().filter(|id| !is_accepted(id)).map(String::as_str).collect();
        let by_advisories =
            refused.is_empty() && !tcb.advisory_ids.is_empty() && tcb.status != TcbStatus::Revoked;
        if self.accepted_statuses.contains(&tcb.status) || by_advisories {
            return Ok(());
        }
        let advisories = match tcb.advisory_ids.join(", ") {
            none if none.is_empty() => none,
            advisories => format!(" ({advisories})"),
        };
        let accepted = TcbStatus::list(&self.accepted_statuses);
        let mut reason =
            format!("the TCB status is {}{advisories}; accepted: {accepted}", tcb.status);
        if !self.accepted_advisories.is_empty() && !refused.is_empty() {
            reason = format!("{reason}; advisories that are not accepted: {}", refused.join(", "));
        }
        Err(reason)
    }
}

/// A time that displays as RFC 3339.
#[derive(PartialEq, PartialOrd)]
struct Date(SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable::rfc3339(self.0))
    }
}
