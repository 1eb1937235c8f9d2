//! `quote`: gets a quote, from the service or in this process.

use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgGroup, Args};
use quoting::{QuoteRequest, Quoter};
use sgx::{IntoBytes, Report, TargetInfo};

use crate::failure::Failure;
use crate::files;
use crate::output;
use crate::quote_source::QuoteSource;
use crate::software_enclave::SoftwareReport;

#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("reported")
        .args(["report", "report_data", "mr_enclave", "target_info"])
        .required(true)
        .multiple(true)
))]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: QuoteSource,

    /// The application enclave's REPORT, 432 bytes, for the target info of this platform's QE.
    #[arg(long, value_name = "FILE", conflicts_with = "SoftwareReport")]
    report: Option<PathBuf>,

    /// Writes the target info of the QE, 512 bytes, to this file: the REPORT must be made for it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["report", "SoftwareReport", "out"])]
    target_info: Option<PathBuf>,

    /// Writes the quote to this file.
    #[arg(long, value_name = "FILE", required_unless_present = "target_info")]
    out: Option<PathBuf>,

    #[command(
        flatten,
        next_help_heading = "Options for a REPORT of a software enclave (INSECURE)"
    )]
    enclave: SoftwareReport,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    Ok(arguments.source.with_quoter(|quoter| quote(arguments, quoter))?)
}

fn quote(arguments: &Arguments, quoter: &dyn Quoter) -> anyhow::Result<()> {
    let key_ids = quoter.attestation_key_ids()?;
    let key_id = *key_ids.first().context("the quote service has no attestation key")?;
    let target_info = quoter.initialize(&key_id)?.target_info;
    if let Some(path) = &arguments.target_info {
        files::write(path, target_info.as_bytes())?;
    }
    let Some(out) = &arguments.out else { return Ok(()) };
    let report = report(arguments, &target_info)?;
    let reply = quoter.quote(&QuoteRequest { report, key_id, qe_report_info: None })?;
    files::write(out, &reply.quote)?;
    if !files::is_standard(out) {
        output::note(format_args!("the quote is in {}", out.display()));
    }
    Ok(())
}

fn report(arguments: &Arguments, target_info: &TargetInfo) -> anyhow::Result<Report> {
    let Some(path) = &arguments.report else { return Ok(arguments.enclave.make(target_info)) };
    sgx::parse("a REPORT", &files::read(path)?)
        .with_context(|| format!("{} holds no REPORT", files::Input(path)))
}
