//! This project's service serves every client.

use std::time::{Duration, Instant};

use conformance::{Conformance, FLOWS, Options, QuoteEvidence, StepResult, run};

use crate::support::{TIMEOUT, service};

fn options() -> Options<'static> {
    Options { timeout: TIMEOUT, verifier: None }
}

fn assert_conforms(outcome: &Conformance) {
    let differences: Vec<_> = outcome.differences().map(|it| it.to_string()).collect();
    assert!(differences.is_empty(), "{differences:?}");
    assert!(outcome.conforms());
    assert_eq!(outcome.clients.len(), FLOWS.len());
    for client in &outcome.clients {
        assert_eq!(client.steps.len(), client.flow.steps.len());
        assert!(client.steps.iter().all(|step| step.result == StepResult::Conforms));
    }
}

#[test]
fn every_client_is_served() {
    let served = service();
    let outcome = run(&served.socket, options());
    assert_conforms(&outcome);
    assert!(outcome.clients.iter().all(|client| client.quote == QuoteEvidence::Made));
}

#[test]
fn one_quote_is_verified() {
    let served = service();
    let verified = std::cell::Cell::new(0);
    let verifier = |quote: &[u8]| {
        verified.set(verified.get() + 1);
        sgx::Quote::parse(quote).map(|_| "parsed".to_owned()).map_err(|error| error.to_string())
    };
    let outcome = run(&served.socket, Options { verifier: Some(&verifier), ..options() });
    assert_conforms(&outcome);
    assert_eq!(outcome.quote(), &QuoteEvidence::Verified("parsed".to_owned()));
    assert_eq!(verified.get(), 1);
}

#[test]
fn a_quote_that_is_refused_by_the_verifier_differs() {
    let served = service();
    let verifier = |_: &[u8]| Err("it is revoked".to_owned());
    let outcome = run(&served.socket, Options { verifier: Some(&verifier), ..options() });
    let first = outcome.differences().next().unwrap();
    assert_eq!(first.to_string(), "Intel libsgx_quote_ex, sgx_get_quote_ex: it is revoked");
}

#[test]
fn a_run_takes_a_fraction_of_a_second() {
    let served = service();
    let begin = Instant::now();
    assert_conforms(&run(&served.socket, options()));
    assert!(begin.elapsed() < Duration::from_millis(300), "{:?}", begin.elapsed());
}
