//! `serve` with workers: whatever happens to them, clients get their quotes.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use aesm::{Client, ClientError, Payload, Request};
use quoting::{AesmQuoter, QuoteRequest, Quoter};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sgx::{AesmError, AttestationKeyId, IntoBytes, QeReportInfo, Quote, ReportData};
use software_platform::{EnclaveIdentity, SoftwareEnclave, SoftwarePlatform};
use test_support::provider::Provider;
use time::OffsetDateTime;
use verify::{Decision, Policy, TrustedRoots};

use crate::support::{Machine, SERVE, Serve, eventually};

/// The clients that ask at the same time.
const CLIENTS: usize = 8;

fn client(machine: &Machine) -> AesmQuoter {
    AesmQuoter::new(machine.socket(), Duration::from_secs(15))
}

fn request(quoter: &dyn Quoter, report_data: [u8; 64]) -> QuoteRequest {
    let key_id = AttestationKeyId::ecdsa_p256();
    let target_info = quoter.initialize(&key_id).unwrap().target_info;
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = enclave.report(&target_info, ReportData(report_data));
    QuoteRequest { report, key_id, qe_report_info: None }
}

/// Asks for a quote once: no error is made good by asking again.
fn ask(machine: &Machine, request: &QuoteRequest) -> Result<Vec<u8>, ClientError> {
    let once = Request::GetQuoteEx {
        report: request.report.as_bytes(),
        att_key_id: Some(request.key_id.as_bytes()),
        qe_report_info: None,
        buf_size: 8192,
    };
    match Client::new(machine.socket()).call(&once)? {
        Payload::GetQuoteEx { quote: Some(quote), .. } => Ok(quote),
        other => panic!("{other:?}"),
    }
}

/// A service on the software platform, with two workers and what else is said.
fn serve_isolated(machine: &Machine, more: &str) -> Serve {
    Serve::start(&mut machine.command(&format!("{SERVE} --isolate --workers 2 {more}")))
}

/// Lets clients ask for quotes and verify them while `disturb` does its work, and gives the number
/// of quotes and the longest time that one took. No quote may fail.
fn quotes_under_disturbance(
    machine: &Machine,
    disturb: impl FnOnce(&AtomicUsize),
) -> (usize, Duration) {
    let platform = SoftwarePlatform::open(&machine.path("state")).unwrap();
    let issue =
        platform.deployment().up_to_date(&platform.pck_subject(), OffsetDateTime::now_utc());
    let collateral = platform.collateral(&issue).unwrap();
    let roots = TrustedRoots::parse(platform.root_certificate().der()).unwrap();
    let (quotes, disturbed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ask = || {
        let client = client(machine);
        let mut longest = Duration::ZERO;
        while disturbed.load(Ordering::Relaxed) == 0 {
            let number = quotes.fetch_add(1, Ordering::Relaxed);
            let mut report_data = [0; 64];
            report_data[..8].copy_from_slice(&number.to_le_bytes());
            let request = request(&client, report_data);
            let begin = Instant::now();
            let quote = ask(machine, &request).unwrap();
            longest = longest.max(begin.elapsed());
            assert_eq!(Quote::parse_padded(&quote).unwrap().body, request.report.body.into());
            let verdict =
                verify::verify(&quote, &collateral, &roots, SystemTime::now(), &Policy::default());
            assert_eq!(verdict.decision, Decision::Trusted, "{verdict:?}");
        }
        longest
    };
    let longest = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
        disturb(&quotes);
        disturbed.store(1, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).max().unwrap()
    });
    (quotes.into_inner(), longest)
}

#[test]
fn killing_workers_fails_no_quote() {
    let machine = Machine::new();
    let serve = serve_isolated(&machine, "");
    let mut killed = 0;
    let (quotes, _) = quotes_under_disturbance(&machine, |quotes| {
        for kill in 0..100 {
            let begin = quotes.load(Ordering::Relaxed);
            eventually("quotes are made", || quotes.load(Ordering::Relaxed) > begin + CLIENTS);
            let workers = serve.children();
            // It may have ended since.
            let worker = workers.get(kill % workers.len().max(1));
            let is_killed = |worker: &Pid| kill_process(*worker, Signal::KILL).is_ok();
            killed += usize::from(worker.is_some_and(is_killed));
        }
    });
    assert!(killed >= 50, "{killed}");
    assert!(quotes > CLIENTS, "{quotes}");
    assert!(serve.metrics().contains("quote_helper_worker_ends_total{reason=\"died\"}"));
}

#[test]
fn workers_that_hang_fail_no_quote() {
    let machine = Machine::new();
    let serve = serve_isolated(&machine, "--worker-timeout 200ms");
    let (quotes, _) = quotes_under_disturbance(&machine, |_| {
        for _ in 0..5 {
            if let Some(worker) = serve.children().first() {
                let _ = kill_process(*worker, Signal::STOP);
            }
            thread::sleep(Duration::from_millis(400));
        }
    });
    assert!(quotes > CLIENTS, "{quotes}");
    assert!(serve.metrics().contains("quote_helper_worker_ends_total{reason=\"hung\"}"));
}

#[test]
fn replacing_workers_all_the_time_fails_no_quote() {
    let machine = Machine::new();
    let serve = serve_isolated(&machine, "");
    let (quotes, _) = quotes_under_disturbance(&machine, |_| {
        for _ in 0..20 {
            serve.signal(Signal::HUP);
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(quotes > CLIENTS, "{quotes}");
    assert!(serve.metrics().contains("quote_helper_worker_ends_total{reason=\"replaced\"}"));
}

#[test]
fn workers_end_with_their_service() {
    let machine = Machine::new();
    let serve = serve_isolated(&machine, "");
    let workers = serve.children();
    assert_eq!(workers.len(), 2);
    serve.signal(Signal::KILL);
    eventually("the workers end", || workers.iter().all(|worker| !is_running(*worker)));
}

/// A terminal, or a service manager, sends them to the service and its workers alike.
#[test]
fn signals_for_the_service_do_not_end_its_workers() {
    let machine = Machine::new();
    let serve = serve_isolated(&machine, "");
    eventually("both workers are ready", || serve.metrics().contains("quote_helper_workers 2"));
    let workers = serve.children();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        workers.iter().for_each(|worker| kill_process(*worker, signal).unwrap());
    }
    let client = client(&machine);
    (0..8).for_each(|_| drop(ask(&machine, &request(&client, [1; 64])).unwrap()));
    assert_eq!(serve.children(), workers);
}

/// Foreign code that does not return does not notice that its service is gone.
#[test]
fn workers_that_hang_end_with_their_service() {
    let provider = Provider::build();
    let machine = Machine::new();
    let serve = Serve::start(&mut dcap(&machine, &provider.library(), "1h"));
    eventually("both workers are ready", || serve.metrics().contains("quote_helper_workers 2"));
    let workers = serve.children();
    let client = client(&machine);
    let request = request(&client, [1; 64]);
    provider.fault("sgx_ql_get_quote hang");
    thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&machine, &request));
        // Far longer than the request takes to the worker.
        thread::sleep(Duration::from_millis(300));
        serve.signal(Signal::KILL);
        asked.join().unwrap().unwrap_err();
    });
    eventually("the workers end", || !workers.iter().any(|worker| is_running(*worker)));
}

#[test]
fn a_service_without_workers_does_not_end_by_a_hangup() {
    let machine = Machine::new();
    let serve = machine.serve();
    serve.signal(Signal::HUP);
    machine.quote("01");
}

/// A service that quotes with the test's provider library.
fn serve_dcap(machine: &Machine, library: &Path) -> Serve {
    Serve::start(&mut dcap(machine, library, "300ms"))
}

fn dcap(machine: &Machine, library: &Path, worker_timeout: &str) -> Command {
    let line = format!(
        "serve --platform dcap --socket aesm.socket --state-dir state --workers 2 \
         --metrics-listen 127.0.0.1:0 --worker-timeout {worker_timeout} --log-format json \
         --dcap-library {} --writable-paths {}",
        library.display(),
        // The library removes a single fault from this directory.
        library.parent().unwrap().display()
    );
    machine.command(&line)
}

/// Foreign code is in workers only, and quotes there, even if the service was told to ask a
/// service.
#[test]
fn the_library_is_loaded_by_workers_alone() {
    let provider = Provider::wrapper_only();
    let machine = Machine::new();
    let serve = Serve::start(dcap(&machine, &provider.library(), "3s").env("SGX_AESM_ADDR", "1"));
    let client = client(&machine);
    client.quote(&request(&client, [1; 64])).unwrap();
    let has_library = |pid: Pid| {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        maps.contains("libprovider.so")
    };
    assert!(!has_library(serve.pid()));
    eventually("all workers have it", || serve.children().into_iter().all(has_library));
}

/// The outcome of each fault for clients, as in the documented table.
#[test]
fn faults_of_the_provider_are_seen_as_documented() {
    let table = include_str!("../../../../docs/quote-provider-faults.md");
    let provider = Provider::build();
    let machine = Machine::new();
    let _serve = serve_dcap(&machine, &provider.library());
    let client = client(&machine);
    let request = request(&client, [1; 64]);
    let mut rows = Vec::new();
    for fault in [
        "crash",
        "segv",
        "exit",
        "hang",
        "short",
        "garbage",
        "other",
        "send-text",
        "send-text 1",
        "error 0xe00f",
        "once 0xe00f",
        "error 0xe014",
        "once 0xe014",
        "error 0xe015",
        "error 0xe012",
        "error 0xe001",
    ] {
        provider.fault(&format!("sgx_ql_get_quote {fault}"));
        let seen = match client.quote(&request) {
            Ok(_) => "the quote".to_owned(),
            Err(error) => format!("{} ({})", error.code().name(), error.code().number()),
        };
        provider.heal();
        rows.push(format!("| `{fault}` | {seen} |"));
        eventually("quotes are made again", || client.quote(&request).is_ok());
    }
    let missing: Vec<_> = rows.iter().filter(|row| !table.contains(*row)).collect();
    assert!(missing.is_empty(), "the table lacks {missing:#?}");
}

/// The library of a worker that was taken over speaks in the worker's name, past the worker's own
/// checks.
#[test]
fn replies_of_a_compromised_worker_are_not_delivered() {
    let provider = Provider::build();
    let machine = Machine::new();
    let serve = Serve::start(&mut dcap(&machine, &provider.library(), "3s"));
    let client = client(&machine);
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let info = QeReportInfo {
        nonce: [9; 16],
        target_info: enclave.target_info(),
        ..QeReportInfo::default()
    };
    let request = QuoteRequest { qe_report_info: Some(info), ..request(&client, [1; 64]) };
    for fault in ["send-text", "send-large", "send-other", "send-nonce"] {
        provider.fault(&format!("sgx_ql_get_quote {fault}"));
        let error = client.quote(&request).unwrap_err();
        assert_eq!(error.code(), AesmError::ServiceUnavailable, "{fault}: {error}");
        provider.fault(&format!("sgx_ql_get_quote {fault} 1"));
        let reply = client.quote(&request).unwrap_or_else(|error| panic!("{fault}: {error}"));
        request.check(&reply).unwrap();
    }
    let metrics = serve.metrics();
    let ends = "quote_helper_worker_ends_total{reason=\"wrong_reply\"} ";
    let ends = metrics.lines().find_map(|line| line.strip_prefix(ends)).unwrap();
    assert!(ends.parse::<u32>().unwrap() >= 4 * 7, "{ends}");
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    assert_eq!(audited(&log, "SUCCESS"), 4, "{log}");
    assert_eq!(audited(&log, "SERVICE_UNAVAILABLE"), 4, "{log}");
    assert!(log.contains("6 workers were lost while they made this quote"), "{log}");
    for said in
        ["is not a quote", "quotes have 1020 to 65536 bytes, not 100000", "of another REPORT"]
    {
        assert!(log.contains(said), "{said}: {log}");
    }
}

#[test]
fn a_library_that_crashes_for_a_moment_fails_no_quote() {
    let provider = Provider::build();
    let machine = Machine::new();
    let _serve = serve_dcap(&machine, &provider.library());
    let client = client(&machine);
    let request = request(&client, [1; 64]);
    for fault in ["crash", "segv", "exit", "hang"] {
        provider.fault(&format!("sgx_ql_get_quote {fault}"));
        thread::scope(|scope| {
            let asked = scope.spawn(|| client.quote(&request));
            thread::sleep(Duration::from_millis(50));
            provider.heal();
            asked.join().unwrap().unwrap();
        });
    }
}

#[test]
fn without_a_library_the_service_says_what_is_missing_and_answers_what_it_can() {
    let machine = Machine::new();
    let serve = serve_dcap(&machine, Path::new("/nowhere/libsgx_dcap_ql.so.1"));
    let client = client(&machine);
    let key_id = AttestationKeyId::ecdsa_p256();
    assert_eq!(client.attestation_key_ids().unwrap(), [key_id]);
    let begin = Instant::now();
    let error = client.initialize(&key_id).unwrap_err();
    assert_eq!(error.code(), AesmError::ServiceUnavailable);
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    let reason = "quote_helper_worker_ends_total{reason=\"INTERFACE_UNAVAILABLE\"}";
    assert!(serve.metrics().contains(reason));
    // Time to try again some times.
    thread::sleep(Duration::from_millis(600));
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    assert!(log.contains("/nowhere/libsgx_dcap_ql.so.1"), "{log}");
    assert!(log.contains("libsgx-dcap-ql"), "{log}");
    assert_eq!(log.matches("cannot be started").count(), 2, "once for each worker: {log}");
}

/// The number of quotes with this outcome in the audit log.
fn audited(log: &str, outcome: &str) -> u64 {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let fields = events.map(|event| event["fields"].clone());
    let quotes =
        fields.filter(|fields| fields["message"] == "quote" && fields["outcome"] == outcome);
    quotes.map(|fields| fields["quotes"].as_u64().unwrap()).sum()
}

fn is_running(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}
