//! Hints for a verdict: the options that change it.

use sgx::{Fmspc, PlatformInstanceId, Ppid};
use verify::{Attested, RootKind, Step, StepOutcome, Verdict, VerdictCode};

/// The hints for this verdict: after a refusal by the policy, the options that accept the quote.
pub(super) fn advice(verdict: &Verdict) -> Vec<String> {
    if let (VerdictCode::Policy(_), Some(attested)) = (verdict.code, &verdict.attested) {
        let failed = verdict.steps.iter().filter(|s| matches!(s.outcome, StepOutcome::Failed(_)));
        return failed.map(|result| acceptance(result.step, attested)).collect();
    }
    on_evidence(verdict).map(str::to_owned).into_iter().collect()
}

fn on_evidence(verdict: &Verdict) -> Option<&'static str> {
    let kind = verdict.quote_root.as_ref().map(|root| root.kind);
    Some(match (verdict.code, kind) {
        (VerdictCode::UntrustedRoot, Some(RootKind::Intel)) => {
            "omit --trusted-root to trust Intel's root"
        }
        (VerdictCode::UntrustedRoot, Some(RootKind::Software)) => {
            "for tests, --trusted-root FILE trusts a software platform; `quote-helper platform root \
             --out FILE` writes its root"
        }
        (VerdictCode::UntrustedRoot, _) => {
            "--trusted-root FILE trusts a root; take its certificate from its owner, not from the \
             quote"
        }
        (VerdictCode::ForeignCollateral, _) => {
            "pass collateral of the quote's own root, with --collateral FILE or --source URL"
        }
        (VerdictCode::CollateralUnavailable, _) => {
            "pass the collateral with --collateral FILE, or use another source with --source URL"
        }
        (VerdictCode::MismatchedCollateral, _) => {
            "pass collateral of this quote's platform, with --collateral FILE or --source URL"
        }
        (VerdictCode::Expired, _) => {
            "get newer collateral, with --source URL or `quote-helper collateral fetch --quote FILE`; \
             --time TIME verifies as of an earlier time"
        }
        (VerdictCode::NotYetValid, _) => "check this machine's clock, and --time",
        (VerdictCode::NoPckCertificate, _) => {
            "use --source URL with a PCCS that knows the platform"
        }
        _ => return None,
    })
}

/// The option that makes this step of the policy accept.
fn acceptance(step: Step, attested: &Attested) -> String {
    let Attested { tcb, platform, .. } = attested;
    let option = match (step, attested.body.enclave(), attested.body.td()) {
        (Step::Binding, ..) => return "no option accepts a quote that is not bound".to_owned(),
        (Step::Debug, ..) => "--allow-debug".to_owned(),
        (Step::TcbStatus, ..) if tcb.advisory_ids.is_empty() => {
            format!("--accept-tcb-status {}", tcb.status)
        }
        (Step::TcbStatus, ..) => format!(
            "--accept-tcb-status {}, or --accept-advisory {}",
            tcb.status,
            tcb.advisory_ids.join(",")
        ),
        (Step::TcbDate, ..) => "an earlier --minimum-tcb-date".to_owned(),
        (Step::TcbEvaluation, ..) => {
            format!("--minimum-tcb-evaluation-data-number {}", tcb.evaluation_data_number)
        }
        (Step::PlatformFeatures, ..) => "fewer of --refuse-platform-feature".to_owned(),
        (Step::Fmspc, ..) => format!("--fmspc {}", Fmspc(platform.fmspc)),
        (Step::Ppid, ..) => format!("--ppid {}", Ppid(platform.ppid)),
        (Step::PlatformInstanceId, ..) => match platform.platform_instance_id {
            Some(id) => format!("--platform-instance-id {}", PlatformInstanceId(id)),
            None => return "omit --platform-instance-id".to_owned(),
        },
        (Step::ReportData, ..) => format!("--report-data {}", attested.body.report_data()),
        (Step::MrEnclave, Some(e), _) => format!("--mr-enclave {}", e.mr_enclave),
        (Step::MrSigner, Some(e), _) => format!("--mr-signer {}", e.mr_signer),
        (Step::IsvProdId, Some(e), _) => format!("--isv-prod-id {}", e.isv_prod_id),
        (Step::IsvSvn, Some(e), _) => format!("--minimum-isv-svn {}", e.isv_svn),
        (Step::IsvExtProdId, Some(e), _) => format!("--isv-ext-prod-id {}", e.isv_ext_prod_id),
        (Step::IsvFamilyId, Some(e), _) => format!("--isv-family-id {}", e.isv_family_id),
        (Step::ConfigId, Some(e), _) => format!("--config-id {}", e.config_id),
        (Step::ConfigSvn, Some(e), _) => format!("--minimum-config-svn {}", e.config_svn),
        (Step::MrTd, _, Some(td)) => format!("--mr-td {}", td.mr_td),
        (Step::Rtmr0, _, Some(td)) => format!("--rtmr0 {}", td.rtmr[0]),
        (Step::Rtmr1, _, Some(td)) => format!("--rtmr1 {}", td.rtmr[1]),
        (Step::Rtmr2, _, Some(td)) => format!("--rtmr2 {}", td.rtmr[2]),
        (Step::Rtmr3, _, Some(td)) => format!("--rtmr3 {}", td.rtmr[3]),
        (Step::MrConfigId, _, Some(td)) => format!("--mr-config-id {}", td.mr_config_id),
        (Step::MrOwner, _, Some(td)) => format!("--mr-owner {}", td.mr_owner),
        (Step::MrOwnerConfig, _, Some(td)) => format!("--mr-owner-config {}", td.mr_owner_config),
        (Step::MrSeam, _, Some(td)) => format!("--mr-seam {}", td.mr_seam),
        (Step::MrSignerSeam, _, Some(td)) => format!("--mr-signer-seam {}", td.mr_signer_seam),
        (Step::TeeTcbSvn, _, Some(td)) => format!("--minimum-tee-tcb-svn {}", td.tee_tcb_svn),
        (Step::ExpectedTdAttributes, _, Some(td)) => {
            format!("--td-attributes {:#x}", td.td_attributes.0)
        }
        (Step::Xfam, _, Some(td)) => format!("--xfam {:#x}", td.xfam),
        (step, ..) => return format!("omit {}", option_of(step)),
    };
    format!("accepted with {option}")
}

fn option_of(step: Step) -> String {
    match step {
        Step::ExpectedTdAttributes => "--td-attributes".to_owned(),
        Step::IsvSvn | Step::ConfigSvn | Step::TeeTcbSvn => format!("--minimum-{}", step.name()),
        step => format!("--{}", step.name()),
    }
}
