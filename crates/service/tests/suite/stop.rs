//! A stopping service finishes accepted requests.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::{Service, framed, report, software_quoter};
use quoting::{
    AsyncQuoter, AttestationKey, Execution, Flow, FutureQuote, QuoteReply, QuoteRequest, Quoter,
    QuotingError,
};
use service::{Limits, Metrics, Rules, StopReason, serve};
use sgx::AttestationKeyId;
use sockets::BoundSocket;

/// The software platform, as slow as Intel's QE on a busy machine.
struct Slow(Arc<dyn Quoter>);

impl Quoter for Slow {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        self.0.attestation_key_ids()
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        self.0.initialize(key_id)
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        self.0.quote_size(key_id)
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        self.0.quote(request)
    }

    fn execution(&self) -> Execution<'_> {
        Execution::Async(self)
    }
}

impl AsyncQuoter for Slow {
    fn quote(&self, request: Box<QuoteRequest>, _: Flow) -> FutureQuote {
        let quoter = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            quoter.quote(&request)
        })
    }
}

fn key_id_number() -> Vec<u8> {
    framed(&hex::decode("aa0100").unwrap())
}

#[test]
fn quotes_in_flight_are_finished() {
    let mut service = Service::start(Arc::new(Slow(software_quoter())), Limits::default());
    let quoter = quoting::AesmQuoter::new(&service.socket, Duration::from_secs(10));
    let key_id = AttestationKeyId::ecdsa_p256();
    let target_info = quoter.initialize(&key_id).unwrap().target_info;
    let request = QuoteRequest { report: report(&target_info), key_id, qe_report_info: None };
    let size = quoter.quote_size(&key_id).unwrap();
    // Only the request for the quote itself is on the way when the service is told to stop.
    let frame = aesm::Request::GetQuoteEx {
        report: sgx::IntoBytes::as_bytes(&request.report),
        att_key_id: Some(sgx::IntoBytes::as_bytes(&request.key_id)),
        qe_report_info: None,
        buf_size: size,
    };
    let mut streams: Vec<_> = (0..6).map(|_| service.connect()).collect();
    for stream in &mut streams {
        stream.write_all(&frame.to_frame(None)).unwrap();
    }
    service.begin_stop();
    for stream in &mut streams {
        let reply = crate::support::read_all(stream);
        assert!(reply.len() > size as usize, "{} bytes", reply.len());
    }
    service.wait_for_stop();
    assert!(!service.socket.exists());
}

#[test]
fn connected_clients_are_served_during_a_stop() {
    let mut service = Service::ordinary();
    let mut streams: Vec<_> = (0..50).map(|_| service.connect()).collect();
    service.begin_stop();
    thread::sleep(Duration::from_millis(100));
    for stream in &mut streams {
        stream.write_all(&key_id_number()).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(crate::support::read_all(stream).len(), 11);
    }
    service.wait_for_stop();
}

#[test]
fn idle_connections_do_not_delay_the_stop() {
    let mut service = Service::ordinary();
    let mut stream = service.connect();
    stream.write_all(&key_id_number()).unwrap();
    stream.read_exact(&mut [0; 11]).unwrap();
    let begin = std::time::Instant::now();
    service.begin_stop();
    service.wait_for_stop();
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(crate::support::read_all(&mut stream).is_empty());
}

#[test]
fn clients_that_are_not_accepted_are_left_to_the_next_owner_of_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let (_bound, listener) = BoundSocket::listen(&directory.path().join("aesm.socket")).unwrap();
    let other = listener.try_clone().unwrap();
    let connect = |_| UnixStream::connect(directory.path().join("aesm.socket")).unwrap();
    let mut streams: Vec<_> = (0..100).map(connect).collect();
    for stream in &mut streams {
        stream.write_all(&key_id_number()).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (rules, metrics) = (Rules::default().fixed(), Metrics::new("test"));
        let stop = std::future::ready(StopReason::HandedOver);
        serve(listener, software_quoter(), rules, metrics, stop).await.unwrap();
    });
    let left = std::iter::from_fn(|| other.accept().ok()).count();
    assert!(left > 0);
    for stream in streams.iter_mut().take(100 - left) {
        assert_eq!(crate::support::read_all(stream).len(), 11);
    }
}
