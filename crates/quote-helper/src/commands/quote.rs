//! `quote`: gets a quote, in this process or from the service.

use std::path::PathBuf;
use std::time::Duration;

use aesm::Client;
use anyhow::{Context, anyhow};
use clap::Args;
use quoting::{AesmQuoter, Platform, QuoteRequest, Quoter, QuotingMode, default_state_dir};
use sgx::{AttestationKeyId, Report, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::failure::Failure;
use crate::files;
use crate::output;

/// How long a service that is being restarted is waited for.
const RESTART: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Asks the service at this socket.
    #[arg(long, value_name = "PATH", conflicts_with = "in_process")]
    socket: Option<PathBuf>,

    /// Quotes in this process. Without --socket and --in-process the environment variable
    /// SGX_AESM_ADDR decides, as it does for applications.
    #[arg(long)]
    in_process: bool,

    /// Where quotes in this process come from: Intel's QE and PCE (`dcap`), or the insecure software
    /// platform (`software`) [default: dcap].
    #[arg(long, value_name = "dcap|software", env = "QUOTE_HELPER_PLATFORM")]
    platform: Option<Platform>,

    /// Where the software platform's keys are kept, for a quote in this process [default:
    /// /var/lib/quote-helper for root, else $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// The application enclave's REPORT, 432 bytes, made for the target info of this platform's QE.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["report_data", "target_info"])]
    report: Option<PathBuf>,

    /// Makes the REPORT in a software enclave, with these bytes in hexadecimal, at most 64, filled up
    /// with zeros.
    #[arg(long, value_name = "HEX", value_parser = report_data, conflicts_with = "report")]
    report_data: Option<ReportData>,

    /// Writes the target info of the QE, 512 bytes, to this file: what --report has to be made for.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["report", "report_data", "out"])]
    target_info: Option<PathBuf>,

    /// The file for the quote.
    #[arg(long, value_name = "FILE", required_unless_present = "target_info")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let quoter = quoter(arguments)?;
    let key_ids = quoter.attestation_key_ids()?;
    let key_id = key_ids.first().context("the quote service has no attestation key")?;
    let target_info = quoter.initialize(key_id)?.target_info;
    if let Some(path) = &arguments.target_info {
        files::write(path, sgx::IntoBytes::as_bytes(&target_info))?;
    }
    let Some(out) = &arguments.out else { return Ok(()) };
    let report = report(arguments, &target_info)?;
    files::write(out, &quote(&*quoter, *key_id, report)?)?;
    output::note(format_args!("the quote is in {}", out.display()));
    Ok(())
}

fn quoter(arguments: &Arguments) -> anyhow::Result<Box<dyn Quoter>> {
    let mode = match &arguments.socket {
        Some(socket) => QuotingMode::OutOfProcess(socket.clone()),
        None if arguments.in_process => QuotingMode::InProcess,
        None => QuotingMode::of_process(),
    };
    Ok(match mode {
        QuotingMode::OutOfProcess(socket) => {
            Box::new(AesmQuoter::new(socket, Client::DEFAULT_TIMEOUT).patience(RESTART))
        }
        QuotingMode::InProcess => {
            let state_dir = arguments.state_dir.clone().map_or_else(default_state_dir, Ok)?;
            let platform = arguments.platform.unwrap_or_default();
            quoting::open_in_process(platform, &state_dir).context(
                "cannot quote in this process (--socket or SGX_AESM_ADDR would ask the service)",
            )?
        }
    })
}

fn report(arguments: &Arguments, target_info: &TargetInfo) -> anyhow::Result<Report> {
    match (&arguments.report, arguments.report_data) {
        (Some(path), _) => {
            let bytes = files::read(path)?;
            sgx::parse("a REPORT", &bytes)
                .with_context(|| format!("{} holds no REPORT", path.display()))
        }
        (None, report_data) => {
            let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
            Ok(enclave.report(target_info, report_data.unwrap_or_default()))
        }
    }
}

fn quote(
    quoter: &dyn Quoter,
    key_id: AttestationKeyId,
    report: Report,
) -> Result<Vec<u8>, quoting::QuotingError> {
    let request = QuoteRequest { report, key_id, qe_report_info: None };
    quoter.quote(&request).map(|reply| reply.quote)
}

/// Reads up to 64 bytes in hexadecimal; the rest are zeros.
pub(crate) fn report_data(text: &str) -> anyhow::Result<ReportData> {
    let bytes = hex::decode(text)?;
    let mut report_data = ReportData::default();
    let space = report_data.0.get_mut(..bytes.len());
    space
        .ok_or_else(|| anyhow!("report data has 64 bytes at the most, not {}", bytes.len()))?
        .copy_from_slice(&bytes);
    Ok(report_data)
}
