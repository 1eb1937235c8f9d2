//! `remote-attestation`: one of the two enclaves. See the library for what they do; this is the program
//! around it: settings, files, connections, what is printed.

mod arguments;
mod connection;
mod evidence;
mod output;
mod patience;
mod session;
mod tally;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use quoting::{ApplicationQuoter, QuotingMode};

use self::arguments::{Arguments, Role};
use self::evidence::Evidence;
use self::session::Session;
use self::tally::Tally;

/// Asks the quote service if `SGX_AESM_ADDR` is set, and makes quotes in this process if not.
static QUOTER: ApplicationQuoter = ApplicationQuoter::new();

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut tally = Tally::default();
    let attested = attest(&arguments, &mut tally);
    if let Err(error) = &attested {
        output::note(format_args!("error: {}", output::explained(error)));
    }
    output::result(tally);
    match attested {
        Ok(()) if tally.failed == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn attest(arguments: &Arguments, tally: &mut Tally) -> anyhow::Result<()> {
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
        tally,
    };
    match arguments.role() {
        Role::Connect(_) => begin_repeatedly(&mut session, arguments),
        Role::Listen(_) => session.answer_until_closed(),
    }
}

fn begin_repeatedly(session: &mut Session<'_>, arguments: &Arguments) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        session.begin()?;
        if arguments.is_enough(session.tally.attested, begin.elapsed()) {
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
