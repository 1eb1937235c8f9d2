//! A process that has the secret, gets the sockets of the running instance, and abuses them.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::attacker::Attacker;
use crate::hand_over::{quote_once, quotes_meanwhile};
use crate::support::{Machine, Serve, inode};

/// A machine with a running instance, and a process that has its sockets.
fn attacked() -> (Machine, Serve, Attacker) {
    let machine = Machine::new();
    let serve = machine.serve();
    let attacker = Attacker::with_secret(&machine);
    (machine, serve, attacker)
}

fn ends_well(serve: Serve) {
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// The instance ends with an error, and the next one serves.
fn is_started_again(machine: &Machine, (status, log): &(ExitStatus, String)) {
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("start this instance again"), "{log}");
    let serve = machine.serve();
    quote_once(machine);
    ends_well(serve);
}

/// Flags belong to what both have open: without `O_NONBLOCK` an accept waits for the next client.
#[test]
fn one_that_makes_the_sockets_block_and_dies_has_taken_nothing() {
    let machine = Machine::new();
    let serve = machine.serve();
    let before = inode(&machine.socket());
    let quotes = quotes_meanwhile(&machine, |_| {
        for _ in 0..5 {
            let attacker = Attacker::with_secret(&machine);
            assert_eq!(attacker.listeners.len(), 3, "AESM, collateral and metrics");
            attacker.make_blocking();
            thread::sleep(Duration::from_millis(100));
            drop(attacker);
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(quotes > 0);
    assert_eq!(inode(&machine.socket()), before);

    // The only client, after which there is none to wake the thread that serves.
    Attacker::with_secret(&machine).make_blocking();
    quote_once(&machine);
    assert!(serve.get("/livez").starts_with("HTTP/1.1 200"));
    quote_once(&machine);
    ends_well(serve);
}

#[test]
fn one_that_makes_the_sockets_block_cannot_keep_the_instance_from_ending() {
    let (machine, serve, attacker) = attacked();
    attacker.make_blocking();
    drop(UnixStream::connect(machine.socket()).unwrap());
    ends_well(serve);
}

/// Nothing helps against it but sockets that it does not have.
#[test]
fn one_that_makes_the_sockets_block_for_ever_has_the_instance_started_again() {
    let (machine, serve, attacker) = attacked();
    let over = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                attacker.make_blocking();
            }
        });
        drop(UnixStream::connect(machine.socket()).unwrap());
        let ended = serve.wait();
        over.store(true, Ordering::Relaxed);
        ended
    });
    is_started_again(&machine, &ended);
}

#[test]
fn one_that_shuts_the_sockets_down_has_the_instance_started_again() {
    let (machine, serve, attacker) = attacked();
    attacker.shut_down();
    is_started_again(&machine, &serve.wait());
}

#[test]
fn garbage_of_one_that_has_the_sockets_is_refused_and_a_flood_only_waits() {
    let machine = Machine::new();
    let serve = machine.serve();
    quotes_meanwhile(&machine, |_| {
        for number in 0..10 {
            let mut attacker = Attacker::with_secret(&machine);
            let _flood: Vec<_> =
                (0..100).map(|_| UnixStream::connect(machine.control()).unwrap()).collect();
            attacker.stream.write_all(&[number; 1024]).unwrap();
            // A refusal, or the end of the connection, since bytes were left.
            let _ = attacker.stream.read_to_end(&mut Vec::new());
        }
    });
    let new = machine.serve();
    assert_eq!(serve.wait().0.code(), Some(0));
    ends_well(new);
}
