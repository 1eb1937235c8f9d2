//! SIGTERM and SIGINT: nobody who had connected gets an error.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use aesm::{Client, ClientError, Request};
use rustix::process::Signal;

use crate::support::{Machine, SERVE, Serve, eventually};

const REQUEST: Request<'_> = Request::GetSupportedAttKeyIdNum;

fn stops_well(machine: &Machine, serve: Serve) {
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!machine.socket().exists(), "the socket is still there");
}

/// Sends a half or nothing of a request, has `meanwhile` happen, sends the rest: there is a reply.
fn is_answered(mut stream: UnixStream, sent: usize, meanwhile: impl FnOnce()) {
    let request = REQUEST.to_frame(None);
    stream.write_all(&request[..sent]).unwrap();
    meanwhile();
    stream.write_all(&request[sent..]).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut reply = vec![0; u32::from_le_bytes(size) as usize];
    stream.read_exact(&mut reply).unwrap();
    assert!(aesm::Response::decode(&reply).unwrap().error.is_none());
}

#[test]
fn a_request_that_has_begun_is_finished() {
    for signal in [Signal::TERM, Signal::INT] {
        for sent in [0, 5] {
            let machine = Machine::new();
            let serve = machine.serve();
            let stream = UnixStream::connect(machine.socket()).unwrap();
            is_answered(stream, sent, || {
                serve.signal(signal);
                eventually("the socket is gone", || !machine.socket().exists());
            });
            stops_well(&machine, serve);
        }
    }
}

/// Asks until nobody is there any more. That is the only way in which it may end.
fn ask_until_the_end(socket: &Path, answered: &AtomicUsize) {
    let client = Client::new(socket);
    loop {
        match client.call(&REQUEST) {
            Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
            Err(ClientError::Connect { .. }) => return,
            Err(error) => panic!("{error}"),
        };
    }
}

#[test]
fn a_busy_service_stops_without_an_error_for_anybody() {
    let machine = Machine::new();
    let serve = machine.serve();
    let (socket, answered) = (machine.socket(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| ask_until_the_end(&socket, &answered));
        }
        eventually("1,000 answers", || answered.load(Ordering::Relaxed) >= 1_000);
        serve.signal(Signal::TERM);
    });
    stops_well(&machine, serve);
}

#[test]
fn a_service_whose_log_nobody_reads_any_more_goes_on() {
    let machine = Machine::new();
    let (log, stderr) = std::io::pipe().unwrap();
    let mut child = machine.command(SERVE).stderr(stderr).spawn().unwrap();
    drop(log);
    eventually("there is a socket", || machine.socket().exists());
    machine.quote("07");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
