//! Notes about waits, and errors at their end.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::{Ended, Machine, free_address};

/// Longer than the time before the first note.
const PATIENCE: &str = "4s";

/// Asserts the end of a side that waited in vain for collateral: a note after some seconds, then an
/// error, both with this source and this reason.
#[track_caller]
fn says(ended: &Ended, source: &str, reason: &str) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut notes = ended.stderr.lines().filter(|line| line.starts_with("waiting for collateral "));
    let note = notes.next().unwrap_or_else(|| panic!("no note: {ended:?}"));
    assert!(note.contains(source) && note.contains(reason), "{note}");
    assert!(note.contains("; retrying until 20"), "{note}");
    let error = ended.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    let head = format!("error: no collateral from {source} within {PATIENCE}: ");
    assert!(error.starts_with(&head) && error.contains(reason), "{error}");
}

/// Alice's end, with this source of collateral. Bob stays until she has ended.
fn alice_with_collateral_of(source: &str) -> Ended {
    let (machine, address) = (Machine::new(), free_address());
    let alice = format!("--name alice --listen {address} --pccs {source} --patience {PATIENCE}");
    let bob = format!("--name bob --connect {address} --collateral collateral.json");
    let children = [alice, bob].map(|line| machine.command_in_process(&line).spawn().unwrap());
    let [alice, _bob]: [Ended; 2] = children.map(Ended::of);
    alice
}

/// A server that treats each connection this way.
fn server(treat: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| treat(stream.unwrap())));
    address.to_string()
}

/// Answers each request with this status.
fn with_status(status: &'static str) -> String {
    let address = server(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        lines.find(|line| line.as_ref().map_or(true, String::is_empty));
        let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(reply.as_bytes());
    });
    format!("http://{address}")
}

#[test]
fn a_name_that_does_not_resolve_is_named_within_seconds() {
    // No resolver knows names below `invalid` (RFC 6761).
    let source = "http://sgx-collateral.invalid:17492";
    says(&alice_with_collateral_of(source), source, "failed to lookup address information");
}

#[test]
fn a_refused_connection_is_named_within_seconds() {
    let source = format!("http://{}", free_address());
    says(&alice_with_collateral_of(&source), &source, "Connection refused");
}

#[test]
fn a_server_without_tls_is_named_within_seconds() {
    let source = with_status("200 OK").replace("http:", "https:");
    says(&alice_with_collateral_of(&source), &source, "it speaks no TLS");
}

#[test]
fn a_server_that_fails_is_named_within_seconds() {
    for (status, reason) in [("503 X", "it is busy (status 503)"), ("500 X", "the HTTP status 500")]
    {
        let source = with_status(status);
        says(&alice_with_collateral_of(&source), &source, reason);
    }
}

#[test]
fn a_silent_server_is_named_within_seconds() {
    let (held, connections) = std::sync::mpsc::channel();
    let source = format!("http://{}", server(move |stream| held.send(stream).unwrap()));
    let ended = alice_with_collateral_of(&source);
    drop(connections);
    let note = format!("waiting for collateral from {source} until 20");
    let said = ended.stderr.lines().find(|line| line.starts_with(&note));
    assert!(said.is_some_and(|line| line.ends_with(": there is no answer yet")), "{ended:?}");
    let error = format!("error: no collateral from {source} within {PATIENCE}: ");
    assert!(ended.stderr.contains(&error), "{ended:?}");
    assert!(ended.stderr.contains("it did not answer in time"), "{ended:?}");
}

#[test]
fn a_source_without_the_item_is_an_error_at_once() {
    let source = with_status("404 X");
    let begin = Instant::now();
    let ended = alice_with_collateral_of(&source);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert!(!ended.stderr.contains("waiting for collateral"), "{ended:?}");
    assert!(ended.stderr.contains("it has no such item"), "{ended:?}");
}

#[test]
fn a_missing_peer_is_named_within_seconds() {
    let (machine, address) = (Machine::new(), free_address());
    let run = |role: &str| -> Child {
        let line = format!("{role} {address} --patience {PATIENCE} --collateral collateral.json");
        machine.command_in_process(&line).spawn().unwrap()
    };
    let alice = Ended::of(run("--name alice --listen"));
    let note = format!("waiting for a connection to {address} until 20");
    assert!(alice.stderr.contains(&note), "{alice:?}");
    let bob = Ended::of(run("--name bob --connect"));
    let note = format!("waiting for a connection to the peer at {address}: Connection refused");
    assert!(bob.stderr.contains(&note), "{bob:?}");
}

#[test]
fn a_silent_peer_is_named_within_seconds() {
    let machine = Machine::new();
    let (held, connections) = std::sync::mpsc::channel();
    let address = server(move |stream| held.send(stream).unwrap());
    let line = format!(
        "--name bob --connect {address} --patience {PATIENCE} --collateral collateral.json"
    );
    let bob = Ended::of(machine.command_in_process(&line).spawn().unwrap());
    drop(connections);
    assert!(bob.stderr.contains("waiting for a message of alice until 20"), "{bob:?}");
    assert!(bob.stderr.contains("did not send or take a whole message within 4s"), "{bob:?}");
}
