//! The options of the policy.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueHint};
use sgx::{
    ConfigId, Fmspc, IsvExtProdId, IsvFamilyId, Measurement, MrEnclave, MrSigner,
    PlatformInstanceId, Ppid, ReportData, TeeTcbSvn,
};
use verify::{
    EnclavePolicy, MaskedBits, PlatformFeature, PlatformPolicy, Policy, SignedProduct, TcbPolicy,
    TcbStatus, TdPolicy,
};

use crate::files;
use crate::software_enclave::report_data;
use crate::values::{self, OneOf};

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

    /// Requires the product of this SIGSTRUCT, a file of 1,808 bytes: its signer and product ids,
    /// and at least its ISVSVN; may be repeated to accept one of several.
    ///
    /// Its signature is checked under the key in the file, which does not prove who signed.
    /// MRENCLAVE and ATTRIBUTES are not compared, so that later versions are accepted.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sigstruct: Vec<PathBuf>,

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

    /// Requires this MRCONFIGID of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_config_id: Vec<Measurement>,

    /// Requires this MROWNER of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_owner: Vec<Measurement>,

    /// Requires this MROWNERCONFIG of a TD, 48 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_owner_config: Vec<Measurement>,

    /// Requires this MRSERVICETD of a TD, 48 bytes in hexadecimal, or one of several.
    ///
    /// A TD with service TDs is rejected without this option, too; only zeros can pass.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_service_td: Vec<Measurement>,

    /// Requires this MRSEAM (the code of the TDX module) of a TD, 48 bytes in hexadecimal, or one
    /// of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_seam: Vec<Measurement>,

    /// Requires this MRSIGNERSEAM (the signer of the TDX module) of a TD, 48 bytes in hexadecimal,
    /// or one of several.
    ///
    /// Without this option, too, it must be the signer in the TCB info.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    mr_signer_seam: Vec<Measurement>,

    /// Requires at least this TEE_TCB_SVN of a TD, 16 bytes in hexadecimal, in each of its
    /// components.
    ///
    /// The first two bytes are the security version and the major version of the TDX module: a
    /// module of a higher major version may have a lower security version.
    #[arg(long, value_name = "HEX")]
    minimum_tee_tcb_svn: Option<TeeTcbSvn>,

    /// Requires these TDATTRIBUTES of a TD, such as 0x10000000, or one of several. With a mask, as
    /// in 0x10000000/0xf0000000, only its bits count.
    #[arg(long, value_name = "VALUE[/MASK]", value_delimiter = ',')]
    td_attributes: Vec<MaskedBits>,

    /// Requires this XFAM of a TD, such as 0xe7, or one of several. With a mask, as in 0/0x60000
    /// (no AMX), only its bits count.
    #[arg(long, value_name = "VALUE[/MASK]", value_delimiter = ',')]
    xfam: Vec<MaskedBits>,

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

    /// Requires this FMSPC (kind of platform), 6 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    fmspc: Vec<Fmspc>,

    /// Requires this PPID (processor package), 16 bytes in hexadecimal, or one of several.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    ppid: Vec<Ppid>,

    /// Requires this platform instance id, 16 bytes in hexadecimal, or one of several.
    ///
    /// Certificates of the PCK Platform CA state it. Those of the PCK Processor CA do not, so their
    /// platforms are rejected.
    #[arg(long, value_name = "HEX", value_delimiter = ',')]
    platform_instance_id: Vec<PlatformInstanceId>,

    /// The products of `sigstruct`, once it is read.
    #[arg(skip)]
    signed_products: Vec<SignedProduct>,
}

impl PolicyArguments {
    /// These options, with those of `other` as defaults.
    pub(super) fn or(self, other: Self) -> Self {
        fn list<T>(own: Vec<T>, other: Vec<T>) -> Vec<T> {
            if own.is_empty() { other } else { own }
        }
        macro_rules! either {
            ($($list:ident)*; $($single:ident)*) => {
                Self {
                    $($list: list(self.$list, other.$list),)*
                    $($single: self.$single.or(other.$single),)*
                    allow_debug: self.allow_debug || other.allow_debug,
                }
            };
        }
        either! {
            mr_enclave mr_signer isv_prod_id isv_ext_prod_id isv_family_id config_id sigstruct
            signed_products mr_td rtmr0 rtmr1 rtmr2 rtmr3 mr_config_id mr_owner mr_owner_config
            mr_service_td mr_seam mr_signer_seam td_attributes xfam accept_tcb_status
            accept_advisory refuse_platform_feature fmspc ppid platform_instance_id;
            minimum_isv_svn minimum_config_svn minimum_tee_tcb_svn report_data minimum_tcb_date
            minimum_tcb_evaluation_data_number
        }
    }

    /// Reads the files that the options name, relative to `directory`.
    pub(super) fn read_files(&mut self, directory: &Path) -> anyhow::Result<()> {
        for path in &self.sigstruct {
            let path = match files::is_standard(path) {
                true => path.clone(),
                false => directory.join(path),
            };
            let product = SignedProduct::of_sig_struct(&files::read(&path)?);
            let product = product.with_context(|| format!("cannot use {}", files::Input(&path)))?;
            self.signed_products.push(product);
        }
        Ok(())
    }

    pub(super) fn into_policy(self) -> Policy {
        let mut accepted_statuses = TcbPolicy::default().accepted_statuses;
        accepted_statuses
            .extend(self.accept_tcb_status.iter().map(|AcceptedStatus(status)| *status));
        Policy {
            enclave: EnclavePolicy {
                mr_enclaves: self.mr_enclave,
                mr_signers: self.mr_signer,
                isv_prod_ids: self.isv_prod_id,
                minimum_isv_svn: self.minimum_isv_svn,
                isv_ext_prod_ids: self.isv_ext_prod_id,
                isv_family_ids: self.isv_family_id,
                config_ids: self.config_id,
                minimum_config_svn: self.minimum_config_svn,
                signed_products: self.signed_products,
            },
            td: TdPolicy {
                mr_tds: self.mr_td,
                rtmrs: [self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3],
                mr_config_ids: self.mr_config_id,
                mr_owners: self.mr_owner,
                mr_owner_configs: self.mr_owner_config,
                mr_service_tds: self.mr_service_td,
                mr_seams: self.mr_seam,
                mr_signer_seams: self.mr_signer_seam,
                minimum_tee_tcb_svn: self.minimum_tee_tcb_svn,
                td_attributes: self.td_attributes,
                xfams: self.xfam,
            },
            tcb: TcbPolicy {
                accepted_statuses,
                accepted_advisories: self.accept_advisory,
                minimum_date: self.minimum_tcb_date,
                minimum_evaluation_data_number: self.minimum_tcb_evaluation_data_number,
            },
            platform: PlatformPolicy {
                refused_features: self.refuse_platform_feature,
                fmspcs: self.fmspc,
                ppids: self.ppid,
                instance_ids: self.platform_instance_id,
            },
            report_data: self.report_data,
            binding: None,
            allow_debug: self.allow_debug,
        }
    }
}

pub(super) fn time(text: &str) -> anyhow::Result<SystemTime> {
    Ok(values::time(text)?.into())
}

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
