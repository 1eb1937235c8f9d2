//! A stopping service finishes accepted requests.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::{Service, TestQuoter, framed, read_all, software_quoter};
use service::{Limits, Metrics, Rules, StopReason, serve};
use sgx::{AttestationKeyId, IntoBytes, Report};
use sockets::BoundSocket;

fn key_id_number() -> Vec<u8> {
    framed(&hex::decode("aa0100").unwrap())
}

#[test]
fn quotes_in_flight_are_finished() {
    let quoter = Arc::new(TestQuoter::gated());
    let mut service = Service::start(quoter.clone(), Limits::default());
    let (report, key_id) = (Report::default(), AttestationKeyId::ecdsa_p256());
    let frame = aesm::Request::GetQuoteEx {
        report: report.as_bytes(),
        att_key_id: Some(key_id.as_bytes()),
        qe_report_info: None,
        buf_size: 100,
    };
    let mut streams: Vec<_> = (0..6).map(|_| service.connect()).collect();
    for stream in &mut streams {
        stream.write_all(&frame.to_frame(None)).unwrap();
    }
    service.begin_stop();
    thread::sleep(Duration::from_millis(200));
    quoter.open_gate();
    for stream in &mut streams {
        let reply = read_all(stream);
        assert!(reply.len() > 100, "{} bytes", reply.len());
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
        assert_eq!(read_all(stream).len(), 11);
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
    assert!(read_all(&mut stream).is_empty());
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
        assert_eq!(read_all(stream).len(), 11);
    }
}
