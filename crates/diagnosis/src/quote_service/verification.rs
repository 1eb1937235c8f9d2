//! The verification of the quote that the service made.

use std::time::SystemTime;

use sgx::Collateral;
use verify::{AttestedTcb, Decision, Policy, TrustedRoots, Verdict};

use super::CollateralLookup;
use crate::finding::Finding;

const NAME: &str = "verification";

#[derive(Debug)]
pub(crate) enum Verification {
    NoCollateralGiven,
    NoCollateral(String),
    Done { verdict: Box<Verdict>, collateral: Box<Collateral> },
}

impl Verification {
    /// Verifies a quote as of now, if a source of collateral was chosen.
    pub(crate) fn gather(
        quote: &[u8],
        collateral: &CollateralLookup<'_>,
        roots: &TrustedRoots,
    ) -> Self {
        match collateral(quote) {
            None => Self::NoCollateralGiven,
            Some(Err(reason)) => Self::NoCollateral(reason),
            Some(Ok(collateral)) => {
                let (now, policy) = (SystemTime::now(), Policy::default());
                let verdict = verify::verify(quote, &collateral, roots, now, &policy);
                Self::Done { verdict: Box::new(verdict), collateral: Box::new(collateral) }
            }
        }
    }

    pub(crate) fn collateral(&self) -> Option<&Collateral> {
        match self {
            Self::Done { collateral, .. } => Some(collateral),
            Self::NoCollateralGiven | Self::NoCollateral(_) => None,
        }
    }
}

/// The finding; `None` if there is no quote.
pub(crate) fn finding(verification: Option<&Verification>) -> Finding {
    match verification {
        None => Finding::skipped(NAME, "there is no quote", "see `self-quote`"),
        Some(Verification::NoCollateralGiven) => Finding::skipped(
            NAME,
            "the quote holds the REPORT; its signatures and certificates were not verified",
            "pass --source URL or --collateral FILE, and for the software platform --trusted-root \
             FILE as `quote-helper platform root` writes it",
        ),
        Some(Verification::NoCollateral(reason)) => Finding::failed(
            NAME,
            reason,
            "see whether the PCCS runs and knows this platform, or the file is the right one",
        ),
        Some(Verification::Done { verdict, .. }) => {
            let finding = judged(verdict);
            match &verdict.attested {
                Some(attested) => finding.with_value(attested.tcb.status.to_string()),
                None => finding,
            }
        }
    }
}

fn judged(verdict: &Verdict) -> Finding {
    let reason = verdict.reason.as_deref().unwrap_or_default();
    match verdict.decision {
        Decision::Trusted => {
            let tcb = verdict.attested.as_ref().map(|attested| described(&attested.tcb));
            Finding::ok(NAME, format!("the quote is trusted{}", tcb.unwrap_or_default()))
        }
        // The evidence is valid; only the policy refuses it.
        Decision::Refused if verdict.attested.is_some() => Finding::warning(
            NAME,
            format!("the quote is genuine, but many verifiers refuse it: {reason}"),
            "update firmware, microcode and Intel's packages as the advisories say; verifiers can \
             also accept the status (`quote-helper verify --accept-tcb-status`)",
        ),
        Decision::Refused => Finding::failed(
            NAME,
            format!("the quote is refused: {reason}"),
            "for a service on the software platform, pass its root with --trusted-root FILE, as \
             `quote-helper platform root` writes it",
        ),
        Decision::Undecided => Finding::failed(
            NAME,
            format!("there is no verdict on the quote: {reason}"),
            "get collateral that is current and of this platform, with --source URL",
        ),
    }
}

fn described(AttestedTcb { status, advisory_ids, .. }: &AttestedTcb) -> String {
    match advisory_ids.as_slice() {
        [] => format!("; TCB status {status}"),
        advisories => format!("; TCB status {status}, advisories {}", advisories.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quoting::SoftwareQuoter;
    use software_platform::TcbStatus;
    use time::OffsetDateTime;

    use super::super::self_quote;
    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    fn judged(decision: Decision) -> Finding {
        let reason = "the reason".to_owned();
        let verdict = Verdict::without_quote(reason, &Policy::default());
        super::judged(&Verdict { decision, ..verdict })
    }

    #[test]
    fn an_unverified_quote_is_skipped() {
        assert_eq!(finding(None).status, Status::Skipped);
        let unverified = finding(Some(&Verification::NoCollateralGiven));
        assert_eq!(unverified.status, Status::Skipped);
        assert!(unverified.detail.contains("not verified"));
        assert!(unverified.fix.unwrap().contains("--source"));
    }

    #[test]
    fn a_refused_quote_and_missing_evidence_fail_with_the_reason() {
        let missing = Verification::NoCollateral("the reason".to_owned());
        let missing = finding(Some(&missing));
        for finding in [judged(Decision::Refused), judged(Decision::Undecided), missing] {
            assert_eq!(finding.status, Status::Failed);
            assert!(finding.detail.contains("the reason"), "{finding:?}");
        }
    }

    #[test]
    fn a_genuine_quote_of_an_outdated_platform_is_a_warning() {
        let now = OffsetDateTime::now_utc();
        let platform = fixtures::software_platform();
        let mut issue = platform.deployment().up_to_date(&platform.pck_subject(), now);
        let mut current = issue.tcb_levels[0].clone();
        current.pce_svn += 1;
        issue.tcb_levels[0].status = TcbStatus::OutOfDate;
        issue.tcb_levels[0].advisory_ids = vec!["INTEL-SA-00001".to_owned()];
        issue.tcb_levels.insert(0, current);

        let collateral = platform.collateral(&issue).unwrap();
        let source = |_: &[u8]| Some(Ok(collateral.clone()));
        let roots = TrustedRoots::parse(platform.root_certificate().der()).unwrap();
        let quote = self_quote::quote(&SoftwareQuoter::new(Arc::new(platform))).unwrap();

        let finding = finding(Some(&Verification::gather(&quote, &source, &roots)));
        assert_eq!(finding.status, Status::Warning, "{finding:?}");
        assert!(finding.detail.contains("OutOfDate (INTEL-SA-00001)"), "{finding:?}");
        assert_eq!(finding.value.as_deref(), Some("OutOfDate"));
    }

    #[test]
    fn a_trusted_quote_is_told_with_its_tcb_status_and_advisories() {
        let tcb = |advisory_ids| AttestedTcb {
            status: verify::TcbStatus::UpToDate,
            date: std::time::UNIX_EPOCH,
            advisory_ids,
            evaluation_data_number: 1,
        };
        assert_eq!(described(&tcb(Vec::new())), "; TCB status UpToDate");
        let advisories = vec!["INTEL-SA-1".to_owned(), "INTEL-SA-2".to_owned()];
        let described = described(&tcb(advisories));
        assert_eq!(described, "; TCB status UpToDate, advisories INTEL-SA-1, INTEL-SA-2");
    }
}
