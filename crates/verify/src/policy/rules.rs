//! The check of what was attested against a policy, rule by rule.

use std::fmt::Display;
use std::time::SystemTime;

use sgx::{Measurement, QuoteBody, ReportBody, TdReport10};

use crate::{Attested, Policy, Step, StepOutcome, StepResult, TcbStatus};

/// The getter of a measurement of a TD.
type Measured = fn(&TdReport10) -> Measurement;

type Rule<'a> = Box<dyn Fn(&Attested) -> Result<(), String> + 'a>;

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
        let rules = [
            of_enclave(Step::MrEnclave, "MRENCLAVE", &self.mr_enclaves, |e| e.mr_enclave),
            of_enclave(Step::MrSigner, "MRSIGNER", &self.mr_signers, |e| e.mr_signer),
            of_enclave(Step::IsvProdId, "ISVPRODID", &self.isv_prod_ids, |e| e.isv_prod_id.get()),
            at_least(Step::IsvSvn, "ISVSVN", self.minimum_isv_svn, |e| e.isv_svn.get()),
            of_enclave(Step::IsvExtProdId, "ISVEXTPRODID", &self.isv_ext_prod_ids, |e| {
                e.isv_ext_prod_id
            }),
            of_enclave(Step::IsvFamilyId, "ISVFAMILYID", &self.isv_family_ids, |e| e.isv_family_id),
            of_enclave(Step::ConfigId, "CONFIGID", &self.config_ids, |e| e.config_id),
            at_least(Step::ConfigSvn, "CONFIGSVN", self.minimum_config_svn, |e| e.config_svn.get()),
        ];
        let mut rules: Vec<_> = rules.into_iter().flatten().collect();
        rules.extend(self.td_rules());
        if let Some(expected) = &self.report_data {
            let expected = std::slice::from_ref(expected);
            rules.push((
                Step::ReportData,
                one_of("REPORTDATA", expected, |body| Ok(*body.report_data())),
            ));
        }
        rules
    }

    fn td_rules(&self) -> impl Iterator<Item = (Step, Rule<'_>)> {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = &self.rtmrs;
        let rules: [(Step, &'static str, &[Measurement], Measured); 5] = [
            (Step::MrTd, "MRTD", &self.mr_tds, |td| td.mr_td),
            (Step::Rtmr0, "RTMR0", rtmr0, |td| td.rtmr[0]),
            (Step::Rtmr1, "RTMR1", rtmr1, |td| td.rtmr[1]),
            (Step::Rtmr2, "RTMR2", rtmr2, |td| td.rtmr[2]),
            (Step::Rtmr3, "RTMR3", rtmr3, |td| td.rtmr[3]),
        ];
        let rules = rules.into_iter().filter(|(_, _, expected, _)| !expected.is_empty());
        rules.map(|(step, name, expected, actual)| {
            (step, one_of(name, expected, move |body| td(name, body).map(actual)))
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
        let is_accepted = |id: &&String| self.accepted_advisories.contains(*id);
        let refused: Vec<&str> =
            tcb.advisory_ids.iter().filter(|id| !is_accepted(id)).map(String::as_str).collect();
        let by_advisories =
            refused.is_empty() && !tcb.advisory_ids.is_empty() && tcb.status != TcbStatus::Revoked;
        if self.accepted_tcb_statuses.contains(&tcb.status) || by_advisories {
            return Ok(());
        }
        let advisories = match tcb.advisory_ids.join(", ") {
            none if none.is_empty() => none,
            advisories => format!(" ({advisories})"),
        };
        let accepted = TcbStatus::list(&self.accepted_tcb_statuses);
        let mut reason =
            format!("the TCB status is {}{advisories}; accepted: {accepted}", tcb.status);
        if !self.accepted_advisories.is_empty() && !refused.is_empty() {
            reason = format!("{reason}; advisories that are not accepted: {}", refused.join(", "));
        }
        Err(reason)
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
            printable::rfc3339(date),
            printable::rfc3339(minimum)
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

fn one_of<'a, T: PartialEq + Display>(
    name: &'static str,
    expected: &'a [T],
    actual: impl Fn(&QuoteBody) -> Result<T, String> + 'a,
) -> Rule<'a> {
    Box::new(move |attested| {
        let actual = actual(&attested.body)?;
        if expected.contains(&actual) {
            return Ok(());
        }
        let values: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let one_of = if expected.len() > 1 { "one of " } else { "" };
        Err(format!("{name} is {actual}; expected: {one_of}{}", values.join(", ")))
    })
}

/// Requires that the enclave has one of these values; `None` for an empty list.
fn of_enclave<'a, T: PartialEq + Display>(
    step: Step,
    name: &'static str,
    expected: &'a [T],
    actual: fn(&ReportBody) -> T,
) -> Option<(Step, Rule<'a>)> {
    let rule = || one_of(name, expected, move |body| enclave(name, body).map(actual));
    (!expected.is_empty()).then(|| (step, rule()))
}

/// Requires that the enclave has at least this SVN; `None` without a minimum.
fn at_least<'a>(
    step: Step,
    name: &'static str,
    minimum: Option<u16>,
    actual: fn(&ReportBody) -> u16,
) -> Option<(Step, Rule<'a>)> {
    let minimum = minimum?;
    let rule: Rule<'a> = Box::new(move |attested| match actual(enclave(name, &attested.body)?) {
        actual if actual >= minimum => Ok(()),
        actual => Err(format!("{name} is {actual}; expected: at least {minimum}")),
    });
    Some((step, rule))
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
