//! `verify`: tells whether a quote is to be trusted.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use evidence::Evidence;
use sgx::{Measurement, MrEnclave, MrSigner, ReportData};
use verify::{Decision, PlatformFeature, Policy, TcbStatus, TrustedRoots, Verdict};

use crate::endorsements::Endorsements;
use crate::failure::{Failure, explain};
use crate::files::{self, StandardInputTwice};
use crate::output::{self, Format, note_origin};
use crate::software_enclave::report_data;
use crate::values::{self, OneOf};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file with the quote (`-`: standard input): as it is, as hexadecimal or base64, in JSON, in an RA-TLS
    /// certificate (whose key must be bound to the quote), or an Open Enclave report.
    quote: PathBuf,

    #[command(flatten)]
    policy: PolicyArguments,

    /// Verifies as of this time (RFC 3339) rather than now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<SystemTime>,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten, next_help_heading = "Options for collateral")]
    endorsements: Endorsements,
}

/// Requirements on the enclave or TD. An option for the other kind of quote refuses it.
#[derive(Debug, Args)]
struct PolicyArguments {
    /// Demands this MRENCLAVE, 32 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    mr_enclave: Option<MrEnclave>,

    /// Demands this MRSIGNER, 32 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    mr_signer: Option<MrSigner>,

    /// Demands this ISVPRODID.
    #[arg(long, value_name = "NUMBER")]
    isv_prod_id: Option<u16>,

    /// Demands at least this ISVSVN.
    #[arg(long, value_name = "NUMBER")]
    minimum_isv_svn: Option<u16>,

    /// Demands this MRTD of a TD, 48 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    mr_td: Option<Measurement>,

    /// Demands this RTMR0 of a TD, 48 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    rtmr0: Option<Measurement>,

    /// Demands this RTMR1 of a TD, 48 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    rtmr1: Option<Measurement>,

    /// Demands this RTMR2 of a TD, 48 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    rtmr2: Option<Measurement>,

    /// Demands this RTMR3 of a TD, 48 bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    rtmr3: Option<Measurement>,

    /// Demands this REPORTDATA, at most 64 bytes in hexadecimal, filled up with zeros.
    #[arg(long, value_name = "HEX", value_parser = report_data)]
    report_data: Option<ReportData>,

    /// Accepts debug enclaves, and TDs that can be debugged or profiled, which keep no secrets.
    #[arg(long)]
    allow_debug: bool,

    /// Accepts this TCB status besides UpToDate; may be given several times.
    #[arg(long, value_name = "STATUS", value_parser = OneOf::<TcbStatus>::of(TcbStatus::ALL))]
    accept_tcb_status: Vec<TcbStatus>,

    /// Requires a TCB level of this date (RFC 3339) or later.
    #[arg(long, value_name = "TIME", value_parser = time)]
    minimum_tcb_date: Option<SystemTime>,

    /// Requires collateral with this TCB evaluation data number or a higher one.
    ///
    /// Collateral from before a TCB recovery stays valid until it expires. The number tells it
    /// apart: the lower one of TCB info and QE identity counts.
    #[arg(long, value_name = "NUMBER")]
    minimum_tcb_evaluation_data_number: Option<u32>,

    /// Rejects platforms with this feature. May be repeated.
    ///
    /// The platform's PCK certificate must state that the feature is off. The certificates of the
    /// PCK Processor CA state nothing, so their platforms are rejected, too.
    #[arg(
        long,
        value_name = "FEATURE",
        value_parser = OneOf::<PlatformFeature>::of(PlatformFeature::ALL)
    )]
    refuse_platform_feature: Vec<PlatformFeature>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = files::read(&arguments.quote)?;
    let roots = arguments.endorsements.trusted_roots()?;
    let verdict = match Evidence::read_quote(&file) {
        Ok(evidence) => verdict(arguments, &evidence, &roots)?,
        Err(error) => Verdict::without_quote(error.to_string(), &arguments.policy.to_policy()),
    };
    output::result(arguments.output, &verdict)?;
    match verdict.decision {
        Decision::Trusted => Ok(()),
        Decision::Refused => {
            if roots == TrustedRoots::intel() && verdict.attested.is_none() {
                output::note(
                    "the trusted root was Intel's; --trusted-root FILE trusts another one",
                );
            }
            Err(Failure::Refused)
        }
        Decision::Undecided => Err(Failure::Undecided),
    }
}

fn verdict(
    arguments: &Arguments,
    evidence: &Evidence,
    roots: &TrustedRoots,
) -> Result<Verdict, Failure> {
    note_origin(evidence);
    let quote = &evidence.bytes;
    let collateral = match arguments.endorsements.collateral(quote) {
        Ok(collateral) => collateral,
        Err(error) if error.is::<StandardInputTwice>() => return Err(error.into()),
        Err(error) => {
            output::note(format_args!("could not decide: {}", explain(&error)));
            return Err(Failure::Undecided);
        }
    };
    let now = arguments.time.unwrap_or_else(SystemTime::now);
    let policy = Policy { binding: evidence.binding(), ..arguments.policy.to_policy() };
    Ok(verify::verify(quote, &collateral, roots, now, &policy))
}

impl PolicyArguments {
    fn to_policy(&self) -> Policy {
        let mut policy = Policy {
            mr_enclave: self.mr_enclave,
            mr_signer: self.mr_signer,
            isv_prod_id: self.isv_prod_id,
            minimum_isv_svn: self.minimum_isv_svn,
            mr_td: self.mr_td,
            rtmr: [self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3],
            report_data: self.report_data,
            allow_debug: self.allow_debug,
            minimum_tcb_date: self.minimum_tcb_date,
            minimum_tcb_evaluation_data_number: self.minimum_tcb_evaluation_data_number,
            refused_features: self.refuse_platform_feature.clone(),
            ..Policy::default()
        };
        policy.accepted_tcb_statuses.extend(&self.accept_tcb_status);
        policy
    }
}

fn time(text: &str) -> anyhow::Result<SystemTime> {
    Ok(values::time(text)?.into())
}
