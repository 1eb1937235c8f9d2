//! A verifier's requirements on an enclave or a TD.

mod enclave;
mod masked_bits;
mod platform;
mod rule;
mod signed_product;
mod tcb;
mod td;

use sgx::ReportData;

pub use self::enclave::EnclavePolicy;
pub use self::masked_bits::{MaskedBits, WrongMaskedBits};
pub use self::platform::PlatformPolicy;
use self::rule::{Rule, required};
pub use self::signed_product::{SigStructError, SignedProduct};
pub use self::tcb::TcbPolicy;
pub use self::td::TdPolicy;
use crate::{Attested, Step, StepOutcome, StepResult};

/// The requirements on an enclave or a TD. `None` and an empty list require nothing; a requirement
/// on a field that the quoted kind lacks refuses the quote.
///
/// The default accepts any identity, but no debug enclave and only `UpToDate`. A verifier that
/// hands out secrets sets at least [`EnclavePolicy::mr_enclaves`], or
/// [`EnclavePolicy::signed_products`]; for a TD [`TdPolicy::mr_tds`] and the [`TdPolicy::rtmrs`]
/// that its software extends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The requirements on an enclave.
    pub enclave: EnclavePolicy,
    /// The requirements on a TD.
    pub td: TdPolicy,
    /// All 64 bytes of REPORTDATA.
    pub report_data: Option<ReportData>,
    /// The result of the check that REPORTDATA binds the data that came with the quote, such as the
    /// key of a certificate; an error is the reason. `None` if no data came with it.
    pub binding: Option<Result<(), String>>,
    /// Accepts an enclave or TD that can be debugged, and so keeps no secrets.
    pub allow_debug: bool,
    /// The requirements on the TCB.
    pub tcb: TcbPolicy,
    /// The requirements on the platform.
    pub platform: PlatformPolicy,
}

impl Policy {
    /// Checks all rules, also after one has failed.
    pub(crate) fn check(&self, attested: &Attested) -> Vec<StepResult> {
        let result = |(step, rule): (Step, Rule<'_>)| StepResult {
            step,
            outcome: match rule(attested) {
                Ok(()) => StepOutcome::Passed,
                Err(reason) => StepOutcome::Failed(reason),
            },
        };
        self.rules().map(result).collect()
    }

    /// The steps of this policy.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> {
        self.rules().map(|(step, _)| step)
    }

    fn rules(&self) -> impl Iterator<Item = (Step, Rule<'_>)> {
        let binding: Option<Rule<'_>> = self.binding.as_ref().map(|outcome| {
            let rule: Rule<'_> = Box::new(|_| outcome.clone());
            rule
        });
        let debug: Rule<'_> = Box::new(|attested| self.check_debug(attested));
        let report_data = required("REPORTDATA", self.report_data.as_slice(), |attested| {
            Ok(*attested.body.report_data())
        });
        let first = [(Step::Binding, binding), (Step::Debug, Some(debug))];
        first
            .into_iter()
            .chain(self.tcb.rules())
            .chain(self.platform.rules())
            .chain(self.enclave.rules())
            .chain(self.td.rules())
            .chain([(Step::ReportData, report_data)])
            .filter_map(|(step, rule)| Some((step, rule?)))
    }

    fn check_debug(&self, attested: &Attested) -> Result<(), String> {
        let body = &attested.body;
        let enclave = body.enclave().is_some_and(|enclave| enclave.attributes.is_debug());
        let td = body.td().is_some_and(|td| td.td_attributes.is_debug());
        match (enclave, td) {
            _ if self.allow_debug => Ok(()),
            (true, _) => Err("this is a debug enclave, which keeps no secrets".to_owned()),
            (_, true) => Err("the TD can be debugged or profiled: it keeps no secrets".to_owned()),
            (false, false) => Ok(()),
        }
    }
}
