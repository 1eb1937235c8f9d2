//! `load`: puts load on a quote service and measures it.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aesm::{Client, ClientError, Request};
use clap::{Args, ValueEnum};
use quoting::{AesmQuoter, Quoter};
use serde::Serialize;
use sgx::{AesmError, AttestationKeyId, IntoBytes, ReportData};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::failure::Failure;
use crate::output::{self, Format};
use crate::quote_source::{ServiceSocket, with_default_service_hint};
use crate::values;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceSocket,

    /// Concurrent clients, each with one request at a time.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "8",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    clients: u16,

    /// Duration of the measurement.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        value_parser = values::nonzero_duration
    )]
    duration: Duration,

    /// Operation that the clients request.
    #[arg(long, value_enum, default_value = "quote")]
    operation: Operation,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Operation {
    /// A quote, for a REPORT of a software enclave.
    Quote,
    /// The number of attestation keys, which the service answers from memory.
    KeyIds,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let socket = arguments.service.path()?;
    let request = OwnedRequest::prepare(arguments, &socket)
        .map_err(|error| with_default_service_hint(error, Some(&socket)))?;
    let over = AtomicBool::new(false);
    let start = Instant::now();
    let runs: Vec<Run> = thread::scope(|scope| {
        let client = || client(arguments, &socket, &request, &over);
        let clients: Vec<_> = (0..arguments.clients).map(|_| scope.spawn(client)).collect();
        thread::sleep(arguments.duration);
        over.store(true, Ordering::Relaxed);
        clients.into_iter().filter_map(|client| client.join().ok()).collect()
    });
    Ok(output::result(arguments.output, &Measured::from(runs, start.elapsed()))?)
}

#[derive(Clone)]
struct OwnedRequest {
    operation: Operation,
    report: sgx::Report,
    key_id: AttestationKeyId,
    buf_size: u32,
}

impl OwnedRequest {
    fn prepare(arguments: &Arguments, socket: &Path) -> anyhow::Result<Self> {
        let quoter = AesmQuoter::new(socket, Client::DEFAULT_TIMEOUT);
        let key_id = AttestationKeyId::ecdsa_p256();
        let target_info = quoter.initialize(&key_id)?.target_info;
        let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
        Ok(Self {
            operation: arguments.operation,
            report: enclave.report(&target_info, ReportData::default()),
            buf_size: quoter.quote_size(&key_id)?,
            key_id,
        })
    }

    fn as_request(&self) -> Request<'_> {
        match self.operation {
            Operation::Quote => Request::GetQuoteEx {
                report: self.report.as_bytes(),
                att_key_id: Some(self.key_id.as_bytes()),
                qe_report_info: None,
                buf_size: self.buf_size,
            },
            Operation::KeyIds => Request::GetSupportedAttKeyIdNum,
        }
    }
}

#[derive(Default)]
struct Run {
    latencies: Vec<Duration>,
    errors: u64,
    last_error: Option<anyhow::Error>,
}

fn client(arguments: &Arguments, socket: &Path, request: &OwnedRequest, over: &AtomicBool) -> Run {
    let client = Client::new(socket);
    let mut request = request.clone();
    let mut run = Run::default();
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        match ask(&client, arguments, &mut request) {
            Ok(()) => run.latencies.push(start.elapsed()),
            Err(error) => {
                run.errors = run.errors.saturating_add(1);
                run.last_error = Some(error);
                // Do not hammer a service that is down.
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
    run
}

/// Sends the request. After a change of the TCB, which changes the attestation key, it initializes
/// and retries once, as applications do.
fn ask(client: &Client, arguments: &Arguments, request: &mut OwnedRequest) -> anyhow::Result<()> {
    match client.call(&request.as_request()) {
        Err(ClientError::Refused(AesmError::AttKeyNotInitialized)) => {
            *request = OwnedRequest::prepare(arguments, client.socket())?;
            client.call(&request.as_request())?;
        }
        reply => drop(reply?),
    }
    Ok(())
}

/// The measurements of all clients; latencies in microseconds.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Measured {
    requests: usize,
    errors: u64,
    last_error: Option<String>,
    requests_per_second: f64,
    latency_p50_us: u128,
    latency_p99_us: u128,
    latency_max_us: u128,
}

impl Measured {
    fn from(runs: Vec<Run>, elapsed: Duration) -> Self {
        let errors = runs.iter().map(|run| run.errors).sum();
        let last_error =
            runs.iter().find_map(|run| run.last_error.as_ref()).map(ToString::to_string);
        let mut latencies: Vec<_> = runs.into_iter().flat_map(|run| run.latencies).collect();
        latencies.sort_unstable();
        let percentile = |percent: usize| {
            let index = latencies.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
            latencies.get(index).map_or(0, Duration::as_micros)
        };
        Self {
            requests: latencies.len(),
            errors,
            last_error,
            requests_per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
            latency_p50_us: percentile(50),
            latency_p99_us: percentile(99),
            latency_max_us: percentile(100),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "requests      {:>10}", self.requests)?;
        writeln!(f, "  per second  {:>10.0}", self.requests_per_second)?;
        writeln!(f, "errors        {:>10}", self.errors)?;
        writeln!(f, "latency p50   {:>10} µs", self.latency_p50_us)?;
        writeln!(f, "latency p99   {:>10} µs", self.latency_p99_us)?;
        writeln!(f, "latency max   {:>10} µs", self.latency_max_us)?;
        match &self.last_error {
            Some(error) => writeln!(f, "an error      {error}"),
            None => Ok(()),
        }
    }
}

/// The schema of the output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("load", crate::schemas::of::<Measured>())]
}
