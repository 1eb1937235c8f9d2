//! `check`: tells what this machine has for quoting, and what to do about what it lacks.
//!
//! Each section is a file of its own: a structure of facts, which `gather` fills from the machine, and
//! a function from the facts to findings, which tests call for machines that they do not have.

mod devices;
mod diagnosis;
mod driver;
mod finding;
mod libraries;
mod platform;
mod processor;
#[cfg(test)]
mod recorded;
mod self_quote;
mod service;
mod verification;

use std::path::{Path, PathBuf};

use clap::Args;
use quoting::{DCAP_LIBRARY, DEFAULT_SOCKET, Platform, QuotingMode};
use verify::TrustedRoots;

use self::devices::Devices;
use self::diagnosis::Diagnosis;
use self::driver::Driver;
use self::finding::{Finding, Section};
use self::processor::Processor;
use self::self_quote::SelfQuote;
use self::service::Service;
use self::verification::Verification;
use crate::evidence::{CollateralSource, trusted_roots};
use crate::failure::Failure;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The socket of the service [default: that of SGX_AESM_ADDR if it is an absolute path, else
    /// /var/run/aesmd/aesm.socket].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Trusts this root certificate, PEM or DER, instead of Intel's, when the service's quote is
    /// verified.
    #[arg(long, value_name = "FILE", requires = "CollateralSource")]
    trusted_root: Option<PathBuf>,

    #[command(flatten)]
    collateral: CollateralSource,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let roots = trusted_roots(arguments.trusted_root.as_deref())?;
    let diagnosis = Diagnosis::new(sections(arguments, &roots));
    output::result(arguments.output, &diagnosis)?;
    if diagnosis.passed { Ok(()) } else { Err(Failure::Diagnosed) }
}

fn sections(arguments: &Arguments, roots: &TrustedRoots) -> Vec<Section> {
    let processor = Processor::gather();
    let driver = Driver::gather().findings(&processor);
    let devices = Devices::gather().findings(&processor);
    let platform = Platform::Auto.choose(Path::new(DCAP_LIBRARY));
    vec![
        Section { name: "processor", findings: processor.findings() },
        Section { name: "driver", findings: driver.into_iter().chain(devices).collect() },
        Section {
            name: "libraries",
            findings: libraries::findings(&libraries::gather(), &processor),
        },
        Section { name: "platform", findings: vec![platform::finding(platform)] },
        Section { name: "service", findings: service_findings(arguments, roots, &processor) },
    ]
}

fn service_findings(
    arguments: &Arguments,
    roots: &TrustedRoots,
    processor: &Processor,
) -> Vec<Finding> {
    let service = Service::gather(socket(arguments));
    let self_quote = service.answers().then(|| SelfQuote::gather(&service.socket));
    let quote = self_quote.as_ref().and_then(SelfQuote::quote);
    let verification = quote.map(|quote| Verification::gather(quote, &arguments.collateral, roots));
    let mut findings = service.findings();
    findings.push(self_quote::finding(self_quote.as_ref(), processor));
    findings.push(verification::finding(verification.as_ref()));
    findings
}

fn socket(arguments: &Arguments) -> PathBuf {
    match (&arguments.socket, QuotingMode::of_process()) {
        (Some(socket), _) => socket.clone(),
        (None, QuotingMode::OutOfProcess(socket)) => socket,
        (None, QuotingMode::InProcess) => DEFAULT_SOCKET.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::finding::Status;
    use super::*;

    #[test]
    fn each_finding_but_the_good_ones_has_a_fix_whatever_the_processor_is() {
        for processor in recorded::processors() {
            let findings = [
                processor.findings(),
                Driver::gather().findings(&processor),
                Devices::gather().findings(&processor),
                libraries::findings(&libraries::gather(), &processor),
            ];
            for finding in findings.concat() {
                let fix = finding.fix.as_deref().unwrap_or_default();
                assert_eq!(finding.status == Status::Ok, fix.is_empty(), "{finding:?}");
            }
        }
    }
}
