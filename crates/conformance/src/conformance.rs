//! The run of all clients, and its outcome.

use std::path::Path;
use std::time::{Duration, Instant};

use aesm::Client;

use crate::conversation::{Conversation, QuoteEvidence, Verifier};
use crate::flow::{Flow, Step};
use crate::flows::FLOWS;

/// The options of a run.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The limit of each step: connection, request and reply. A client that waits less than that
    /// has its own limit.
    pub timeout: Duration,
    /// Verifies a quote: describes its proof, or the reason that it is refused. With it the service
    /// has to make quotes of software enclaves. It is called for one quote, since it takes longer
    /// than all flows.
    pub verifier: Option<&'a Verifier<'a>>,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Conformance {
    /// The clients, in the order of [`FLOWS`].
    pub clients: Vec<ClientOutcome>,
}

/// The outcome of one client's flow.
#[derive(Debug)]
pub struct ClientOutcome {
    /// The client and its requests.
    pub flow: &'static Flow,
    /// The outcome of each of its steps, in order.
    pub steps: Vec<StepOutcome>,
    /// The evidence that quotes are made.
    pub quote: QuoteEvidence,
}

/// The outcome of one step.
#[derive(Debug)]
pub struct StepOutcome {
    /// The step.
    pub step: &'static Step,
    /// The result.
    pub result: StepResult,
    /// The time that it took.
    pub took: Duration,
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// The reply is one that the client can use.
    Conforms,
    /// It differs from what the client requires, in this way.
    Differs(String),
    /// An earlier step has failed.
    NotReached,
}

/// A step that differs from what its client requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{client}, {call}: {reason}")]
pub struct Difference<'a> {
    /// The client.
    pub client: &'static str,
    /// Its call.
    pub call: &'static str,
    /// The difference.
    pub reason: &'a str,
}

impl Conformance {
    /// True if the service serves every client.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.differences().next().is_none()
    }

    /// The differences: at most one of each client, since a client stops at the first.
    pub fn differences(&self) -> impl Iterator<Item = Difference<'_>> {
        let steps = self.clients.iter().flat_map(|client| {
            client.steps.iter().map(move |outcome| (client.flow.client, outcome))
        });
        steps.filter_map(|(client, outcome)| match &outcome.result {
            StepResult::Differs(reason) => {
                Some(Difference { client, call: outcome.step.call, reason })
            }
            _ => None,
        })
    }

    /// The evidence that quotes are made: the strongest one of all clients.
    #[must_use]
    pub fn quote(&self) -> &QuoteEvidence {
        let strength = |evidence: &&QuoteEvidence| match evidence {
            QuoteEvidence::None => 0,
            QuoteEvidence::Refused => 1,
            QuoteEvidence::Made => 2,
            QuoteEvidence::Verified(_) => 3,
        };
        // Of equal ones the last counts, and the first client's was verified.
        let all = self.clients.iter().rev().map(|client| &client.quote);
        all.max_by_key(strength).unwrap_or(&QuoteEvidence::None)
    }
}

/// Sends the requests of every client to the service at `socket`, and checks the replies. Returns
/// when all is done, or has timed out.
#[must_use]
pub fn run(socket: &Path, options: Options<'_>) -> Conformance {
    let mut verifier = options.verifier;
    let accept = |_: &[u8]| Ok("an earlier quote was verified".to_owned());
    let clients = FLOWS.into_iter().map(|flow| {
        let outcome = run_flow(socket, flow, options.timeout, verifier);
        if matches!(outcome.quote, QuoteEvidence::Verified(_)) {
            verifier = Some(&accept);
        }
        outcome
    });
    Conformance { clients: clients.collect() }
}

fn run_flow(
    socket: &Path,
    flow: &'static Flow,
    timeout: Duration,
    verifier: Option<&Verifier<'_>>,
) -> ClientOutcome {
    let timeout = flow.patience.map_or(timeout, |patience| patience.min(timeout));
    let client = Client::new(socket).timeout(timeout);
    let mut conversation = Conversation::new(&client, flow, verifier);
    let mut failed = false;
    let mut take = |step: &'static Step| {
        let begin = Instant::now();
        let result = match failed {
            true => StepResult::NotReached,
            false => {
                conversation.take(step).map_or_else(StepResult::Differs, |()| StepResult::Conforms)
            }
        };
        failed = result != StepResult::Conforms;
        StepOutcome { step, result, took: begin.elapsed() }
    };
    let steps = flow.steps.iter().map(&mut take).collect();
    ClientOutcome { flow, steps, quote: conversation.quote }
}
