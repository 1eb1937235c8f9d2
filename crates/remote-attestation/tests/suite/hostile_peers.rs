//! Peers that do not keep to the protocol, against the program.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use remote_attestation::{Application, Channel, MAX_FRAME};

use crate::machine::{Ended, Machine, free_address};

/// The end of the listening program after a peer did this.
fn with_peer(patience: &str, behave: impl FnOnce(TcpStream)) -> Ended {
    let (machine, address) = (Machine::new(), free_address());
    let line = format!(
        "--name alice --listen {address} --patience {patience} --collateral collateral.json"
    );
    let alice = machine.command_in_process(&line).spawn().unwrap();
    behave(connect(&address));
    Ended::of(alice)
}

fn connect(address: &str) -> TcpStream {
    let begin = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return stream,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Its end after a peer sent only these bytes.
fn sent(bytes: &[u8]) -> Ended {
    with_peer("20s", |mut peer| {
        peer.write_all(bytes).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        // Until the program has closed it, too.
        let _ = std::io::copy(&mut peer, &mut std::io::sink());
    })
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_le_bytes()[..], message].concat()
}

#[test]
fn bytes_that_are_no_offer_are_refused() {
    for (bytes, reason) in [
        (vec![], "bob has sent nothing"),
        (u32::MAX.to_le_bytes().to_vec(), "announces a message of 4294967295 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "announces a message of 542393671 bytes"),
        (vec![1], "the peer closed the connection"),
        (frame(&[7; 100])[..50].to_vec(), "the peer closed the connection"),
        (frame(b""), "bob has sent no offer"),
        (frame(&[7; 31]), "bob has sent no offer"),
        (frame(&[7; 32]), "bob's quote is not trusted: not a complete quote"),
        (frame(&[7; MAX_FRAME]), "bob's quote is not trusted"),
    ] {
        let ended = sent(&bytes);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(reason), "{reason}: {ended:?}");
        assert!(!ended.stdout.contains("trusted"), "{ended:?}");
    }
}

#[test]
fn a_silent_peer_is_given_up() {
    let begin = Instant::now();
    let mut kept = None;
    let ended = with_peer("300ms", |peer| kept = Some(peer));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("did not send or take a whole message"), "{ended:?}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn a_listener_that_is_nobody_is_not_trusted() {
    let machine = Machine::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("--name bob --connect {}", listener.local_addr().unwrap());
    let bob = machine.command_in_process(&format!("{line} --collateral collateral.json")).spawn();
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(&frame(&[7; 5000])).unwrap();
    let ended = Ended::of(bob.unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("alice's quote is not trusted"), "{ended:?}");
}

#[test]
fn a_quote_without_its_private_key_opens_no_conversation() {
    let machine = Machine::new();
    let address = free_address();
    let line = format!("--name alice --listen {address} --collateral collateral.json");
    let alice = machine.command_in_process(&line).spawn().unwrap();
    // Somebody has seen an offer of Bob's, and sends it again.
    let seen = Application::start("bob").unwrap().offer(&machine.quoter()).unwrap();
    let mut mallory = Channel::new(connect(&address), Duration::from_secs(20));
    mallory.send(&seen.to_bytes()).unwrap();
    mallory.receive().unwrap();
    mallory.send(&[7; 100]).unwrap();
    let ended = Ended::of(alice);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("was changed, or is under another key"), "{ended:?}");
}
