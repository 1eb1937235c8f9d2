//! `report`: makes a REPORT in a software enclave.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use quoting::Quoter;
use sgx::{AttestationKeyId, IntoBytes, TargetInfo};

use crate::failure::Failure;
use crate::files;
use crate::output;
use crate::quote_source::QuoteSource;
use crate::software_enclave::SoftwareReport;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The target info, 512 bytes, of the enclave that will check the REPORT [default: that of the
    /// QE].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["QuoteSource", "ServiceSocket"])]
    target_info: Option<PathBuf>,

    /// Writes the REPORT, 432 bytes, to this file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    source: QuoteSource,

    #[command(flatten, next_help_heading = "Options for the software enclave")]
    enclave: SoftwareReport,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let report = arguments.enclave.make(&target_info(arguments)?);
    files::write(&arguments.out, report.as_bytes())?;
    output::note("the REPORT is of a software enclave and INSECURE: real SGX refuses it");
    if !files::is_standard(&arguments.out) {
        output::note(format_args!("the REPORT is in {}", arguments.out.display()));
    }
    Ok(())
}

fn target_info(arguments: &Arguments) -> anyhow::Result<TargetInfo> {
    let Some(path) = &arguments.target_info else {
        return arguments.source.with_quoter(target_info_of_qe);
    };
    sgx::parse("target info", &files::read(path)?)
        .with_context(|| format!("{} holds no target info", files::Input(path)))
}

fn target_info_of_qe(quoter: &dyn Quoter) -> anyhow::Result<TargetInfo> {
    Ok(quoter.initialize(&AttestationKeyId::ecdsa_p256())?.target_info)
}
