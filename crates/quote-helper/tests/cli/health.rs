//! `/livez` and `/readyz`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use test_support::provider::Provider;

use crate::support::{Machine, SERVE, Serve, eventually};

/// Status and body of the answer to this path.
fn get(serve: &Serve, path: &str) -> (u16, String) {
    let answer = serve.get(path);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A sample of the metrics.
fn sample(serve: &Serve, series: &str) -> f64 {
    let metrics = serve.metrics();
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series} is missing:\n{metrics}")).parse().unwrap()
}

#[track_caller]
fn is_ready(serve: &Serve, how: &str) {
    assert_eq!(get(serve, "/readyz"), (200, format!("ready: {how}\n")));
    assert_eq!(get(serve, "/livez"), (200, "alive\n".to_owned()));
}

/// Waits until the service says that it is not ready, for this reason. It is alive all the same.
#[track_caller]
fn becomes_unready(serve: &Serve, reason: &str) {
    eventually(reason, || {
        let (status, body) = get(serve, "/readyz");
        status == 503 && body.contains(reason)
    });
    assert_eq!(get(serve, "/livez"), (200, "alive\n".to_owned()));
    assert_eq!(sample(serve, "quote_helper_canary_success"), 0.0);
}

fn serve_dcap(machine: &Machine, library: &Path, worker_timeout: &str) -> Serve {
    Serve::start(&mut machine.command(&format!(
        "serve --platform dcap --socket aesm.socket --state-dir state --workers 1 \
         --metrics-listen 127.0.0.1:0 \
         --worker-timeout {worker_timeout} --log-format json --dcap-library {}",
        library.display()
    )))
}

#[test]
fn a_service_whose_quotes_verify_is_ready() {
    for more in ["", "--isolate --workers 1", "--certification-data encrypted-ppid"] {
        let machine = Machine::new();
        let serve = Serve::start(&mut machine.command(&format!("{SERVE} {more}")));
        is_ready(&serve, "INSECURE software platform: a quote was verified, TCB status UpToDate");
        assert_eq!(sample(&serve, "quote_helper_canary_success"), 1.0);
    }
}

#[test]
fn a_quote_answers_for_many_who_ask_and_is_no_request() {
    let machine = Machine::new();
    let serve = machine.serve();
    let begin = Instant::now();
    for _ in 0..4 {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert_eq!(get(&serve, "/readyz").0, 200));
            }
        });
    }
    let canaries = sample(&serve, "quote_helper_canary_seconds_count");
    assert!(canaries <= 1.0 + begin.elapsed().as_secs_f64() / 5.0, "{canaries}");
    assert!(!serve.metrics().contains("operation=\"GetQuoteEx\""));
}

#[test]
fn collateral_that_has_expired_is_told_in_words() {
    let machine = Machine::new();
    let serve = machine.serve();
    is_ready(&serve, "INSECURE software platform: a quote was verified, TCB status UpToDate");
    machine.succeed("platform tcb --expire --state-dir state");
    becomes_unready(&serve, "the canary quote is not valid: ");
}

/// An old TCB is for verifiers to judge: the quotes are what they can be.
#[test]
fn a_service_on_a_platform_that_is_out_of_date_is_ready() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.succeed("platform tcb --raise --state-dir state");
    eventually("the TCB is out of date", || {
        get(&serve, "/readyz")
            == (
                200,
                "ready: INSECURE software platform: a quote was verified, TCB status OutOfDate\n"
                    .into(),
            )
    });
}

/// The clients are to learn by an error that there is a new key; a canary that had it initialized
/// would keep that from them.
#[test]
fn a_new_attestation_key_is_left_to_the_clients() {
    let machine = Machine::new();
    let serve = machine.serve();
    for change in ["--raise", "--update"] {
        machine.succeed(&format!("platform tcb {change} --state-dir state"));
    }
    eventually("the key is a new one", || get(&serve, "/readyz").1.contains("no client has used"));
    assert_eq!(get(&serve, "/readyz").0, 200);
    machine.quote("01");
    eventually("quotes are verified", || get(&serve, "/readyz").1.contains("UpToDate"));
}

#[test]
fn workers_that_cannot_start_any_more_are_told_in_words_and_their_return_too() {
    let machine = Machine::new();
    let more = "--isolate --workers 1";
    let serve = Serve::start(&mut machine.command(&format!("{SERVE} {more}")));
    is_ready(&serve, "INSECURE software platform: a quote was verified, TCB status UpToDate");
    fs::rename(machine.path("state"), machine.path("elsewhere")).unwrap();
    serve.children().iter().for_each(|worker| kill_process(*worker, Signal::KILL).unwrap());
    becomes_unready(&serve, "no worker is available: ");
    fs::rename(machine.path("elsewhere"), machine.path("state")).unwrap();
    eventually("it is ready again", || get(&serve, "/readyz").0 == 200);
}

#[test]
fn without_a_library_the_reason_names_it() {
    let machine = Machine::new();
    let serve = serve_dcap(&machine, Path::new("/nowhere/libsgx_dcap_ql.so.1"), "1s");
    becomes_unready(&serve, "/nowhere/libsgx_dcap_ql.so.1");
}

/// No real enclave has made the REPORT of a canary.
#[test]
fn a_real_quoting_enclave_that_refuses_is_there() {
    let provider = Provider::build();
    let machine = Machine::new();
    provider.fault("sgx_ql_get_quote error 0xe015");
    let serve = serve_dcap(&machine, &provider.library(), "1s");
    let (status, body) = get(&serve, "/readyz");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("a real Quoting Enclave answers"), "{body}");
    provider.fault("sgx_ql_get_quote error 0xe012");
    becomes_unready(&serve, "0xe012");
}

#[test]
fn a_quote_that_does_not_come_is_not_waited_for() {
    let provider = Provider::build();
    let machine = Machine::new();
    let serve = serve_dcap(&machine, &provider.library(), "1h");
    provider.fault("sgx_ql_get_quote hang");
    becomes_unready(&serve, "no canary quote within 3 s");
    thread::sleep(Duration::from_secs(5));
    let begin = Instant::now();
    let (status, body) = get(&serve, "/readyz");
    assert_eq!((status, body.as_str()), (503, "an earlier canary quote is still in progress\n"));
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}
