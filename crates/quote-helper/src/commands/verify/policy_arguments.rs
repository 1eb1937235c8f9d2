//! The options of the policy.

use std::str::FromStr;
use std::time::SystemTime;

use anyhow::{bail, ensure};
use clap::Args;
use sgx::{ConfigId, IsvExtProdId, IsvFamilyId, Measurement, MrEnclave, MrSigner, ReportData};
use verify::{PlatformFeature, Policy, TcbStatus};

use crate::software_enclave::report_data;
use crate::values::{self, OneOf};

/// The heading of these options in the help.
pub(super) const HEADING: &str = "Policy";

/// Requirements on the enclave or TD. An option for the other kind of quote refuses the quote.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct PolicyArguments {
    /// Requires this MRENCLAVE, 32 bytes in hexadecimal, or one of several: separate values by
    /// commas, or repeat the option.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_enclave: Vec<MrEnclave>,

    /// Requires this MRSIGNER, 32 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_signer: Vec<MrSigner>,

    /// Requires this ISVPRODID, or one of several.
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    isv_prod_id: Vec<u16>,

    /// Requires at least this ISVSVN.
    #[arg(long, value_name = "NUMBER")]
    minimum_isv_svn: Option<u16>,

    /// Requires this ISVEXTPRODID of an enclave with KSS, 16 bytes in hexadecimal, or one of
    /// several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    isv_ext_prod_id: Vec<IsvExtProdId>,

    /// Requires this ISVFAMILYID of an enclave with KSS, 16 bytes in hexadecimal, or one of
    /// several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    isv_family_id: Vec<IsvFamilyId>,

    /// Requires this CONFIGID of an enclave with KSS, 64 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    config_id: Vec<ConfigId>,

    /// Requires at least this CONFIGSVN of an enclave with KSS.
    #[arg(long, value_name = "NUMBER")]
    minimum_config_svn: Option<u16>,

    /// Requires this MRTD of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_td: Vec<Measurement>,

    /// Requires this RTMR0 of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    rtmr0: Vec<Measurement>,

    /// Requires this RTMR1 of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    rtmr1: Vec<Measurement>,

    /// Requires this RTMR2 of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    rtmr2: Vec<Measurement>,

    /// Requires this RTMR3 of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    rtmr3: Vec<Measurement>,

    /// Requires this REPORTDATA, at most 64 bytes in hexadecimal, padded with zeros.
    #[arg(long, value_name = "HEX", value_parser = report_data)]
    report_data: Option<ReportData>,

    /// Accepts debug enclaves, and TDs that can be debugged or profiled: they keep no secrets.
    #[arg(long)]
    allow_debug: bool,

    /// Accepts this TCB status besides UpToDate, whatever its advisories; may be repeated.
    #[arg(
        long,
        value_name = "STATUS",
        value_delimiter = ',',
        value_parser = OneOf::<AcceptedStatus>::of(AcceptedStatus::values())
    )]
    accept_tcb_status: Vec<AcceptedStatus>,

    /// Accepts this advisory of Intel's, such as INTEL-SA-00615; may be repeated.
    ///
    /// A TCB status other than UpToDate is accepted if it comes with advisories and all of them are
    /// accepted. A status without advisories needs --accept-tcb-status.
    #[arg(long, value_name = "ADVISORY", value_delimiter = ',', value_parser = advisory)]
    accept_advisory: Vec<String>,

    /// Requires a TCB level of this date or later: a date such as 2026-01-31, a time such as
    /// 2026-01-31T12:00:00Z, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time)]
    minimum_tcb_date: Option<SystemTime>,

    /// Requires collateral with this TCB evaluation data number or a higher one.
    ///
    /// Collateral from before a TCB recovery stays valid until it expires; this number excludes it.
    /// The lower one of TCB info and QE identity counts.
    #[arg(long, value_name = "NUMBER")]
    minimum_tcb_evaluation_data_number: Option<u32>,

    /// Rejects platforms with this feature; may be repeated.
    ///
    /// The PCK certificate must state that the feature is off. Those of the PCK Processor CA state
    /// nothing, so their platforms are rejected, too.
    #[arg(
        long,
        value_name = "FEATURE",
        value_delimiter = ',',
        value_parser = OneOf::<PlatformFeature>::of(PlatformFeature::ALL)
    )]
    refuse_platform_feature: Vec<PlatformFeature>,
}

impl PolicyArguments {
    /// These options, with those of `other` as defaults.
    pub(super) fn or(&self, other: Option<&Self>) -> Self {
        fn list<T: Clone>(own: &[T], other: &[T]) -> Vec<T> {
            if own.is_empty() { other.to_vec() } else { own.to_vec() }
        }
        let Some(other) = other else { return self.clone() };
        Self {
            mr_enclave: list(&self.mr_enclave, &other.mr_enclave),
            mr_signer: list(&self.mr_signer, &other.mr_signer),
            isv_prod_id: list(&self.isv_prod_id, &other.isv_prod_id),
            minimum_isv_svn: self.minimum_isv_svn.or(other.minimum_isv_svn),
            isv_ext_prod_id: list(&self.isv_ext_prod_id, &other.isv_ext_prod_id),
            isv_family_id: list(&self.isv_family_id, &other.isv_family_id),
            config_id: list(&self.config_id, &other.config_id),
            minimum_config_svn: self.minimum_config_svn.or(other.minimum_config_svn),
            mr_td: list(&self.mr_td, &other.mr_td),
            rtmr0: list(&self.rtmr0, &other.rtmr0),
            rtmr1: list(&self.rtmr1, &other.rtmr1),
            rtmr2: list(&self.rtmr2, &other.rtmr2),
            rtmr3: list(&self.rtmr3, &other.rtmr3),
            report_data: self.report_data.or(other.report_data),
            allow_debug: self.allow_debug || other.allow_debug,
            accept_tcb_status: list(&self.accept_tcb_status, &other.accept_tcb_status),
            accept_advisory: list(&self.accept_advisory, &other.accept_advisory),
            minimum_tcb_date: self.minimum_tcb_date.or(other.minimum_tcb_date),
            minimum_tcb_evaluation_data_number: self
                .minimum_tcb_evaluation_data_number
                .or(other.minimum_tcb_evaluation_data_number),
            refuse_platform_feature: list(
                &self.refuse_platform_feature,
                &other.refuse_platform_feature,
            ),
        }
    }

    pub(super) fn to_policy(&self) -> Policy {
        let own = self.clone();
        let mut policy = Policy {
            mr_enclaves: own.mr_enclave,
            mr_signers: own.mr_signer,
            isv_prod_ids: own.isv_prod_id,
            minimum_isv_svn: own.minimum_isv_svn,
            isv_ext_prod_ids: own.isv_ext_prod_id,
            isv_family_ids: own.isv_family_id,
            config_ids: own.config_id,
            minimum_config_svn: own.minimum_config_svn,
            mr_tds: own.mr_td,
            rtmrs: [own.rtmr0, own.rtmr1, own.rtmr2, own.rtmr3],
            report_data: own.report_data,
            allow_debug: own.allow_debug,
            accepted_advisories: own.accept_advisory,
            minimum_tcb_date: own.minimum_tcb_date,
            minimum_tcb_evaluation_data_number: own.minimum_tcb_evaluation_data_number,
            refused_features: own.refuse_platform_feature,
            ..Policy::default()
        };
        let accepted = own.accept_tcb_status.iter().map(|AcceptedStatus(status)| *status);
        policy.accepted_tcb_statuses.extend(accepted);
        policy
    }
}

/// A point in time.
pub(super) fn time(text: &str) -> anyhow::Result<SystemTime> {
    Ok(values::time(text)?.into())
}

/// A status that can be accepted.
#[derive(Debug, Clone, Copy)]
struct AcceptedStatus(TcbStatus);

impl AcceptedStatus {
    /// The values of the option: `UpToDate` is always accepted.
    fn values() -> impl Iterator<Item = TcbStatus> {
        TcbStatus::ALL
            .into_iter()
            .filter(|status| ![TcbStatus::UpToDate, TcbStatus::Revoked].contains(status))
    }
}

impl FromStr for AcceptedStatus {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        match name.parse() {
            Ok(TcbStatus::Revoked) => {
                bail!("a revoked platform is always refused; no option accepts it")
            }
            Ok(status) => Ok(Self(status)),
            Err(_) => {
                let names: Vec<&str> = Self::values().map(TcbStatus::name).collect();
                bail!("unknown TCB status; expected one of {}", names.join(", "))
            }
        }
    }
}

/// Reads the name of an advisory, in upper or lower case.
fn advisory(name: &str) -> anyhow::Result<String> {
    let name = name.to_ascii_uppercase();
    let digits = name.strip_prefix("INTEL-SA-").unwrap_or_default();
    let is_number = digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(is_number, "not an advisory of Intel; write it as INTEL-SA-00615");
    Ok(name)
}
