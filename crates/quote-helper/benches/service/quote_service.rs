//! The measured service: the real binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aesm::{Client, ClientError, Request};
use anyhow::Context;
use quoting::{AesmQuoter, Quoter};
use rustix::process::{Pid, Signal, kill_process};
use sgx::{AttestationKeyId, IntoBytes, Report, ReportData};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::cpu_time;

/// The timeout of a service's start, and the pause between two attempts to reach it.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_micros(200);

/// The arguments of a service that makes software quotes in its own process.
pub(crate) const SOFTWARE: &[&str] = &["--platform=software"];

/// A running service, killed on drop.
pub(crate) struct QuoteService {
    process: Child,
    socket: PathBuf,
}

impl QuoteService {
    /// Starts a service with these arguments and its socket and state in this directory, and waits
    /// until it is ready.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let service = Self::spawn(directory, arguments)?;
        service.call_when_ready(&Request::GetSupportedAttKeyIdNum)?;
        Ok(service)
    }

    /// The same without waiting.
    pub(crate) fn spawn(directory: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let socket = directory.join("aesm.socket");
        let process = Command::new(env!("CARGO_BIN_EXE_quote-helper"))
            .arg("serve")
            .args(arguments)
            .arg("--socket")
            .arg(&socket)
            .arg("--state-dir")
            .arg(directory.join("state"))
            .env_clear()
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, socket })
    }

    /// Sends a request as soon as the service accepts connections.
    pub(crate) fn call_when_ready(&self, request: &Request<'_>) -> anyhow::Result<()> {
        let (client, start) = (Client::new(&self.socket), Instant::now());
        loop {
            match client.call(request) {
                Err(ClientError::Connect { .. }) if start.elapsed() < START_TIMEOUT => {
                    thread::sleep(START_PAUSE);
                }
                reply => return Ok(reply.map(drop)?),
            }
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The CPU time of the service and its current workers.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        let workers = self.workers()?.into_iter().map(cpu_time::of_process);
        Ok(cpu_time::of_process(self.pid())? + workers.sum::<anyhow::Result<Duration>>()?)
    }

    /// The running worker processes.
    pub(crate) fn workers(&self) -> anyhow::Result<Vec<Pid>> {
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let mut workers = Vec::new();
        for child in children.split_whitespace() {
            // A zombie, which the service has not waited for yet, has no memory.
            let command_line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if !command_line.is_empty() {
                workers.push(Pid::from_raw(child.parse()?).context("a process without an id")?);
            }
        }
        Ok(workers)
    }

    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(self.pid(), signal)?)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Resident memory (VmRSS) in megabytes of 1,000,000 bytes.
    pub(crate) fn resident_megabytes(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kibibytes.parse::<f64>()? * 1024.0 / 1e6)
    }
}

impl Drop for QuoteService {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An application's request for a quote.
pub(crate) struct QuoteRequest {
    report: Report,
    key_id: AttestationKeyId,
    buf_size: u32,
}

impl QuoteRequest {
    /// Makes the request with the facts that it needs from the service.
    pub(crate) fn prepare(service: &QuoteService) -> anyhow::Result<Self> {
        Self::prepare_at(service.socket())
    }

    /// The same for the service at this socket.
    pub(crate) fn prepare_at(socket: &Path) -> anyhow::Result<Self> {
        let quoter = AesmQuoter::new(socket, Client::DEFAULT_TIMEOUT);
        let key_id = AttestationKeyId::ecdsa_p256();
        let target_info = quoter.initialize(&key_id)?.target_info;
        let application = SoftwareEnclave::new(EnclaveIdentity::default());
        let report = application.report(&target_info, ReportData::default());
        Ok(Self { report, key_id, buf_size: quoter.quote_size(&key_id)? })
    }

    pub(crate) fn as_request(&self) -> Request<'_> {
        self.as_request_into(self.buf_size)
    }

    /// The same with a buffer of this size.
    pub(crate) fn as_request_into(&self, buf_size: u32) -> Request<'_> {
        Request::GetQuoteEx {
            report: self.report.as_bytes(),
            att_key_id: Some(self.key_id.as_bytes()),
            qe_report_info: None,
            buf_size,
        }
    }

    /// The REPORT of the request.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }
}
