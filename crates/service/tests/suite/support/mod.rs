//! A real service on a socket of its own, for one test.

mod ordinary;
mod test_quoter;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use aesm::{Client, ClientError, Payload, Request};
use quoting::{QuoteRequest, Quoter, ServedQuoter, SoftwareQuoter};
use service::{Limits, Metrics, Rules, StopReason, serve};
use sgx::{AesmError, AttestationKeyId, IntoBytes, Report, ReportData, TargetInfo};
use sockets::BoundSocket;
use software_platform::{
    Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use tokio::sync::oneshot;

pub(crate) use test_quoter::TestQuoter;

pub(crate) struct Service {
    pub(crate) socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    directory: Option<tempfile::TempDir>,
}

impl Service {
    pub(crate) fn start(quoter: Arc<dyn ServedQuoter>, limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let mut service = Self::start_at(&socket, quoter, limits);
        service.directory = Some(directory);
        service
    }

    pub(crate) fn start_at(socket: &Path, quoter: Arc<dyn ServedQuoter>, limits: Limits) -> Self {
        Self::start_with(socket, async |_| quoter, limits)
    }

    /// A service whose Quoter is made by the runtime that serves.
    pub(crate) fn start_with(
        socket: &Path,
        quoter: impl AsyncFnOnce(Metrics) -> Arc<dyn ServedQuoter> + Send + 'static,
        limits: Limits,
    ) -> Self {
        let (bound, listener) = BoundSocket::listen(socket).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let metrics = Metrics::new("test");
                let quoter = quoter(metrics.clone()).await;
                ready.send(()).unwrap();
                let stop = async move {
                    let _ = stopped.await;
                    drop(bound);
                    StopReason::Closed
                };
                let rules = Rules { limits, ..Rules::default() }.fixed();
                serve(listener, quoter, rules, metrics, stop).await.unwrap();
            });
        });
        started.recv().unwrap();
        let (socket, stop, thread) = (socket.to_owned(), Some(stop), Some(thread));
        Self { socket, stop, thread, directory: None }
    }

    /// A service with the Quoter that this run of the suite is over.
    pub(crate) fn ordinary() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let state_dir = directory.path().join("state");
        let make = async move |metrics| ordinary::quoter(&state_dir, &metrics).await;
        let mut service = Self::start_with(&socket, make, Limits::default());
        service.directory = Some(directory);
        service
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes, and returns everything until the end of the connection.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        // The service may have closed the connection already.
        let _ = stream.shutdown(Shutdown::Write);
        read_all(&mut stream)
    }

    /// The message that comes back for a message, both without their lengths.
    pub(crate) fn ask(&self, message: &[u8]) -> Vec<u8> {
        let reply = self.raw(&framed(message));
        let (header, message) = reply.split_first_chunk::<4>().expect("a reply");
        assert_eq!(u32::from_le_bytes(*header) as usize, message.len());
        message.to_vec()
    }

    pub(crate) fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    pub(crate) fn wait_for_stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.begin_stop();
        self.wait_for_stop();
    }
}

pub(crate) fn read_all(stream: &mut UnixStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => bytes,
    }
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_le_bytes(), message].concat()
}

pub(crate) fn software_platform() -> Arc<SoftwarePlatform> {
    Arc::new(SoftwarePlatform::new(deployment(), MachineSecret::generate().unwrap()).unwrap())
}

pub(crate) fn deployment() -> Deployment {
    let created = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
    Deployment::from_seed([7; 32], SubjectNames::Software, created).unwrap()
}

pub(crate) fn software_quoter() -> Arc<SoftwareQuoter> {
    Arc::new(SoftwareQuoter::new(software_platform()))
}

/// The application enclave of these tests.
pub(crate) fn application() -> SoftwareEnclave {
    SoftwareEnclave::new(EnclaveIdentity { isv_svn: 3, ..EnclaveIdentity::default() })
}

pub(crate) fn report(target_info: &TargetInfo) -> Report {
    application().report(target_info, ReportData([5; 64]))
}

/// A request for a quote by this Quoter.
pub(crate) fn quote_request(quoter: &dyn Quoter) -> QuoteRequest {
    let key_id = AttestationKeyId::ecdsa_p256();
    let target_info = quoter.initialize(&key_id).unwrap().target_info;
    QuoteRequest { report: report(&target_info), key_id, qe_report_info: None }
}

/// Asks for a quote once, without the retries of an `AesmQuoter`.
pub(crate) fn ask_once(socket: &Path, request: &QuoteRequest) -> Result<Vec<u8>, AesmError> {
    let once = Request::GetQuoteEx {
        report: request.report.as_bytes(),
        att_key_id: Some(request.key_id.as_bytes()),
        qe_report_info: None,
        buf_size: 8192,
    };
    match Client::new(socket).timeout(Duration::from_secs(20)).call(&once) {
        Ok(Payload::GetQuoteEx { quote: Some(quote), .. }) => Ok(quote),
        Err(ClientError::Refused(code)) => Err(code),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().unwrap()
}
