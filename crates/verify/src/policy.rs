//! The demands of a verifier on an enclave or a TD that the evidence has proved to be genuine.

use std::fmt::Display;
use std::time::SystemTime;

use sgx::{Measurement, MrEnclave, MrSigner, QuoteBody, ReportBody, ReportData, TdReport10};

use crate::collateral::rfc3339;
use crate::{Attested, Outcome, PlatformFeature, Step, StepResult, TcbStatus};

/// The demands on an enclave or a TD. `None` demands nothing; a demand for what the quoted kind
/// does not have refuses the quote.
///
/// The default is strict about the platform and open about the enclave: no debug enclaves, only
/// [`TcbStatus::UpToDate`], any identity. A verifier that hands out secrets sets at least
/// `mr_enclave`, or `mr_signer` with `isv_prod_id` and `minimum_isv_svn`; for a TD `mr_td` and
/// those of `rtmr` that its software extends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The enclave's MRENCLAVE.
    pub mr_enclave: Option<MrEnclave>,
    /// The enclave's MRSIGNER.
    pub mr_signer: Option<MrSigner>,
    /// The enclave's ISVPRODID.
    pub isv_prod_id: Option<u16>,
    /// The lowest ISVSVN.
    pub minimum_isv_svn: Option<u16>,
    /// The TD's MRTD.
    pub mr_td: Option<Measurement>,
    /// The TD's RTMR0 to RTMR3.
    pub rtmr: [Option<Measurement>; 4],
    /// All 64 bytes of REPORTDATA.
    pub report_data: Option<ReportData>,
    /// The outcome of a check that REPORTDATA vouches for what came with the quote, such as the key
    /// of the certificate that it was in: an error says why it does not. `None` if nothing came
    /// with it.
    pub binding: Option<Result<(), String>>,
    /// Accepts an enclave or TD that can be debugged, which keeps no secrets.
    pub allow_debug: bool,
    /// The TCB statuses to accept. Each one besides `UpToDate` is a known weakness that the
    /// verifier takes upon itself; verifiers in the field accept `SWHardeningNeeded` when the
    /// enclave's code has the mitigations that the advisories ask for. `Revoked` has no effect
    /// here: it is refused in any case.
    pub accepted_tcb_statuses: Vec<TcbStatus>,
    /// The earliest date of the TCB level of platform and QE: flaws that Intel had fixed by then
    /// must be fixed.
    pub minimum_tcb_date: Option<SystemTime>,
    /// The lowest TCB evaluation data number of TCB info and QE identity. Collateral from before a
    /// TCB recovery is still signed and in date: this tells the two apart.
    pub minimum_tcb_evaluation_data_number: Option<u32>,
    /// Features that the PCK certificate must say the platform does not have. A certificate that
    /// does not say so is refused, too.
    pub refused_features: Vec<PlatformFeature>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mr_enclave: None,
            mr_signer: None,
            isv_prod_id: None,
            minimum_isv_svn: None,
            mr_td: None,
            rtmr: [None; 4],
            report_data: None,
            binding: None,
            allow_debug: false,
            accepted_tcb_statuses: vec![TcbStatus::UpToDate],
            minimum_tcb_date: None,
            minimum_tcb_evaluation_data_number: None,
            refused_features: Vec::new(),
        }
    }
}

/// One of the measurements of a TD.
type Measured = fn(&TdReport10) -> Measurement;

type Rule<'a> = Box<dyn Fn(&Attested) -> Result<(), String> + 'a>;

impl Policy {
    /// Checks every rule, also after one has failed.
    pub(crate) fn check(&self, attested: &Attested) -> Vec<StepResult> {
        let result = |(step, rule): (Step, Rule<'_>)| StepResult {
            step,
            outcome: match rule(attested) {
                Ok(()) => Outcome::Passed,
                Err(reason) => Outcome::Failed(reason),
            },
        };
        self.rules().into_iter().map(result).collect()
    }

    /// The steps of this policy.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> {
        self.rules().into_iter().map(|(step, _)| step)
    }

    fn rules(&self) -> Vec<(Step, Rule<'_>)> {
        let mut rules = self.platform_rules();
        rules.extend(self.enclave_rules());
        rules
    }

    fn platform_rules(&self) -> Vec<(Step, Rule<'_>)> {
        let mut rules: Vec<(Step, Rule<'_>)> = Vec::new();
        if let Some(outcome) = &self.binding {
            rules.push((Step::Binding, Box::new(|_| outcome.clone())));
        }
        rules.push((Step::Debug, Box::new(|attested| self.debug(attested))));
        rules.push((Step::TcbStatus, Box::new(|attested| self.tcb_status(attested))));
        if let Some(minimum) = self.minimum_tcb_date {
            rules.push((Step::TcbDate, tcb_date(minimum)));
        }
        if let Some(minimum) = self.minimum_tcb_evaluation_data_number {
            rules.push((Step::TcbEvaluation, tcb_evaluation(minimum)));
        }
        if !self.refused_features.is_empty() {
            rules.push((Step::PlatformFeatures, Box::new(|attested| self.features(attested))));
        }
        rules
    }

    fn enclave_rules(&self) -> Vec<(Step, Rule<'_>)> {
        let mut rules: Vec<(Step, Rule<'_>)> = Vec::new();
        if let Some(expected) = self.mr_enclave {
            rules.push((Step::MrEnclave, of_enclave("MRENCLAVE", expected, |e| e.mr_enclave)));
        }
        if let Some(expected) = self.mr_signer {
            rules.push((Step::MrSigner, of_enclave("MRSIGNER", expected, |e| e.mr_signer)));
        }
        if let Some(expected) = self.isv_prod_id {
            let rule = of_enclave("ISVPRODID", expected, |e| e.isv_prod_id.get());
            rules.push((Step::IsvProdId, rule));
        }
        if let Some(minimum) = self.minimum_isv_svn {
            rules.push((Step::IsvSvn, at_least(minimum)));
        }
        rules.extend(self.td_rules());
        if let Some(expected) = self.report_data {
            let rule = equal("REPORTDATA", expected, |body| Ok(*body.report_data()));
            rules.push((Step::ReportData, rule));
        }
        rules
    }

    fn td_rules(&self) -> impl Iterator<Item = (Step, Rule<'_>)> {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = self.rtmr;
        let rules: [(Step, &'static str, Option<Measurement>, Measured); 5] = [
            (Step::MrTd, "MRTD", self.mr_td, |td| td.mr_td),
            (Step::Rtmr0, "RTMR0", rtmr0, |td| td.rtmr[0]),
            (Step::Rtmr1, "RTMR1", rtmr1, |td| td.rtmr[1]),
            (Step::Rtmr2, "RTMR2", rtmr2, |td| td.rtmr[2]),
            (Step::Rtmr3, "RTMR3", rtmr3, |td| td.rtmr[3]),
        ];
        rules.into_iter().filter_map(|(step, name, expected, actual)| {
            let actual = move |body: &QuoteBody| td(name, body).map(actual);
            Some((step, equal(name, expected?, actual)))
        })
    }

    fn debug(&self, attested: &Attested) -> Result<(), String> {
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

    fn tcb_status(&self, Attested { tcb, .. }: &Attested) -> Result<(), String> {
        if self.accepted_tcb_statuses.contains(&tcb.status) {
            return Ok(());
        }
        let accepted = TcbStatus::list(&self.accepted_tcb_statuses);
        let advisories = match tcb.advisory_ids.join(", ") {
            none if none.is_empty() => none,
            advisories => format!(" ({advisories})"),
        };
        Err(format!("the TCB status is {}{advisories}; accepted: {accepted}", tcb.status))
    }

    fn features(&self, Attested { platform, .. }: &Attested) -> Result<(), String> {
        for feature in &self.refused_features {
            match platform.features.state_of(*feature) {
                Some(false) => {}
                Some(true) => return Err(format!("the platform has {feature}, which is refused")),
                None => {
                    return Err(format!(
                        "the platform's certificate does not rule out {feature}, which is refused"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn tcb_date(minimum: SystemTime) -> Rule<'static> {
    Box::new(move |attested| match attested.tcb.date {
        date if date >= minimum => Ok(()),
        date => Err(format!(
            "the TCB is of {}; expected: {} or later",
            rfc3339(date).unwrap_or_default(),
            rfc3339(minimum).unwrap_or_default()
        )),
    })
}

fn tcb_evaluation(minimum: u32) -> Rule<'static> {
    Box::new(move |attested| match attested.tcb.evaluation_data_number {
        number if number >= minimum => Ok(()),
        number => Err(format!(
            "the collateral is of TCB evaluation {number}; expected: {minimum} or later"
        )),
    })
}

fn equal<T: PartialEq + Display + 'static>(
    name: &'static str,
    expected: T,
    actual: impl Fn(&QuoteBody) -> Result<T, String> + 'static,
) -> Rule<'static> {
    Box::new(move |attested| match actual(&attested.body)? {
        actual if actual == expected => Ok(()),
        actual => Err(format!("{name} is {actual}; expected: {expected}")),
    })
}

fn of_enclave<T: PartialEq + Display + 'static>(
    name: &'static str,
    expected: T,
    actual: fn(&ReportBody) -> T,
) -> Rule<'static> {
    equal(name, expected, move |body| enclave(name, body).map(actual))
}

fn at_least(minimum: u16) -> Rule<'static> {
    Box::new(move |attested| match enclave("ISVSVN", &attested.body)?.isv_svn.get() {
        actual if actual >= minimum => Ok(()),
        actual => Err(format!("ISVSVN is {actual}; expected: at least {minimum}")),
    })
}

fn enclave<'a>(field: &str, body: &'a QuoteBody) -> Result<&'a ReportBody, String> {
    body.enclave().ok_or_else(|| {
        format!("this is the quote of a TD, which has no {field}; expect MRTD or RTMRs instead")
    })
}

fn td<'a>(field: &str, body: &'a QuoteBody) -> Result<&'a TdReport10, String> {
    body.td().ok_or_else(|| {
        format!(
            "this is the quote of an enclave, which has no {field}; expect MRENCLAVE or MRSIGNER \
             instead"
        )
    })
}
