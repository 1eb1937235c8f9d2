//! `remote-attestation`: the program of one of the two enclaves. The library has the attestation;
//! this has settings, files, connections and output.

mod arguments;
mod connection;
mod counters;
mod evidence;
mod output;
mod session;
mod wait;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use quoting::{ApplicationQuoter, QuotingMode};

use self::arguments::{Arguments, Role};
use self::counters::Counters;
use self::evidence::Evidence;
use self::session::Session;

/// Asks the quote service if `SGX_AESM_ADDR` is set, and makes quotes in this process if not.
static QUOTER: ApplicationQuoter = ApplicationQuoter::new();

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut counters = Counters::default();
    let attested = attest(&arguments, &mut counters);
    if let Err(error) = &attested {
        output::note(format_args!("error: {}", output::explained(error)));
    }
    output::result(counters);
    match attested {
        Ok(()) if counters.failed == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn attest(arguments: &Arguments, counters: &mut Counters) -> anyhow::Result<()> {
    output::result(format_args!("{}: quotes come from {}", arguments.name, provider()));
    let evidence = Evidence::load(&arguments.evidence, arguments.patience)?;
    let quoter = QUOTER.quoter()?;
    let channel = connection::open(arguments.role(), arguments.patience)?;
    let mut session = Session {
        name: &arguments.name,
        peer: arguments.peer(),
        patience: arguments.patience,
        quoter,
        channel,
        evidence,
        counters,
    };
    match arguments.role() {
        Role::Connect(_) => attest_repeatedly(&mut session, arguments),
        Role::Listen(_) => session.respond_until_closed(),
    }
}

fn attest_repeatedly(session: &mut Session<'_>, arguments: &Arguments) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        session.initiate()?;
        if arguments.is_enough(session.counters.attested, begin.elapsed()) {
            return Ok(());
        }
    }
}

fn provider() -> String {
    match QUOTER.mode() {
        Ok(QuotingMode::InProcess) => "this process".to_owned(),
        Ok(QuotingMode::OutOfProcess(socket)) => {
            format!("the quote service at {}", socket.display())
        }
        Err(error) => format!("nowhere: {error}"),
    }
}
