//! `conformance`: sends a quote service what each supported client sends, and compares the replies
//! with what that client requires.

use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aesm::ClientError;
use clap::Args;
use conformance::{ClientOutcome, Conformance, Options, QuoteEvidence, StepOutcome, StepResult};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, Format, table};
use crate::quote_source::{ServiceSocket, with_default_service_hint};
use crate::values;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceSocket,

    /// Timeout of each step: connection, request and reply. A client stops at its first failed
    /// step, so a service that stalls costs each client one timeout.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        value_parser = values::nonzero_duration
    )]
    timeout: Duration,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

/// # Errors
/// [`Failure::Diagnosed`] if a client would not be served; an error if nothing listens.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let socket = arguments.service.path()?;
    is_listening(&socket).map_err(|error| with_default_service_hint(error, Some(&socket)))?;
    let options = Options { timeout: arguments.timeout, verifier: None };
    let report = Report::of(&socket, &conformance::run(&socket, options));
    output::result(arguments.output, &report)?;
    match report.conforms {
        true => Ok(()),
        false => Err(Failure::Diagnosed),
    }
}

fn is_listening(socket: &Path) -> anyhow::Result<()> {
    let connected = UnixStream::connect(socket);
    let error = |source| ClientError::Connect { socket: socket.to_owned(), source };
    Ok(connected.map(drop).map_err(error)?)
}

/// The conformance of a quote service.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Report {
    /// The socket of the service.
    socket: PathBuf,
    /// True if every client is served.
    conforms: bool,
    quotes: Quotes,
    clients: Vec<Client>,
}

/// The evidence that the service makes quotes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Quotes {
    /// The service made quotes of a software enclave: it is on the software platform. Signatures
    /// were not verified.
    Made,
    /// A real Quoting Enclave refused the REPORT of a software enclave, as it must.
    RefusedByRealQe,
    /// No client got that far.
    NotReached,
}

/// The conformance for one client.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Client {
    client: &'static str,
    /// The origin of its requests.
    origin: &'static str,
    conforms: bool,
    steps: Vec<Step>,
}

/// One request of a client.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Step {
    /// The client's function, and the purpose of the request.
    step: &'static str,
    result: ResultName,
    /// The difference from what the client requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
    /// Microseconds from the connection to the end of the reply.
    latency_us: u128,
}

/// The result of a step.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum ResultName {
    Conforms,
    Differs,
    /// An earlier step of the client has failed.
    NotReached,
}

impl Report {
    fn of(socket: &Path, outcome: &Conformance) -> Self {
        Self {
            socket: socket.to_owned(),
            conforms: outcome.conforms(),
            quotes: match outcome.quote() {
                QuoteEvidence::None => Quotes::NotReached,
                QuoteEvidence::Refused => Quotes::RefusedByRealQe,
                QuoteEvidence::Made | QuoteEvidence::Verified(_) => Quotes::Made,
            },
            clients: outcome.clients.iter().map(Client::of).collect(),
        }
    }

    fn summary(&self) -> String {
        let quotes = match self.quotes {
            Quotes::Made => "quotes are made (INSECURE: on the software platform)",
            Quotes::RefusedByRealQe => quoting::REAL_QE_ANSWERS,
            Quotes::NotReached => "no client got as far as a quote",
        };
        let failed = self.clients.iter().filter(|client| !client.conforms).count();
        let all = self.clients.len();
        match failed {
            0 => format!("all {all} clients are served; {quotes}"),
            _ => format!("{failed} of {all} clients are not served; {quotes}"),
        }
    }
}

impl Client {
    fn of(outcome: &ClientOutcome) -> Self {
        let conforms = outcome.steps.iter().all(|step| step.result == StepResult::Conforms);
        Self {
            client: outcome.flow.client,
            origin: outcome.flow.origin,
            conforms,
            steps: outcome.steps.iter().map(Step::of).collect(),
        }
    }
}

impl Step {
    fn of(outcome: &StepOutcome) -> Self {
        let (result, difference) = match &outcome.result {
            StepResult::Conforms => (ResultName::Conforms, None),
            StepResult::Differs(difference) => (ResultName::Differs, Some(difference.clone())),
            StepResult::NotReached => (ResultName::NotReached, None),
        };
        let latency_us = outcome.took.as_micros();
        Self { step: outcome.step.call, result, difference, latency_us }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["CLIENT", "STEP", "RESULT", "DIFFERENCE"].map(str::to_owned);
        let rows = self.clients.iter().flat_map(|client| {
            client.steps.iter().map(|step| {
                let result = match step.result {
                    ResultName::Conforms => "conforms",
                    ResultName::Differs => "differs",
                    ResultName::NotReached => "not reached",
                };
                let difference = step.difference.clone().unwrap_or_default();
                [client.client.to_owned(), step.step.to_owned(), result.to_owned(), difference]
            })
        });
        table(f, &[heading].into_iter().chain(rows).collect::<Vec<_>>())?;
        writeln!(f, "\n{}", self.summary())
    }
}

/// The schema of the output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("conformance", crate::schemas::of::<Report>())]
}
