//! The client against services that answer well, badly, late or not at all.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use aesm::{Client, ClientError, Payload, Request, Response};
use sgx::AesmError;

const REQUEST: Request<'_> = Request::GetSupportedAttKeyIdNum;

/// A directory with a socket in it, and a service that does `serve` with the first connection.
fn service(serve: impl FnOnce(UnixStream) + Send + 'static) -> (tempfile::TempDir, Client) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 64];
        let size = stream.read(&mut request).unwrap();
        assert_eq!(request[4..size], REQUEST.to_frame(Some(300))[4..]);
        serve(stream);
    });
    (directory, Client::new(socket).timeout(Duration::from_millis(300)))
}

fn reply() -> Vec<u8> {
    let payload = Payload::GetSupportedAttKeyIdNum { att_key_id_num: 1 };
    Response { error: None, payload }.to_frame()
}

#[test]
fn a_reply_is_read_in_however_many_pieces() {
    let (_directory, client) = service(|mut stream| {
        for byte in reply() {
            stream.write_all(&[byte]).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
    });
    let payload = client.call(&REQUEST).unwrap();
    assert_eq!(payload, Payload::GetSupportedAttKeyIdNum { att_key_id_num: 1 });
}

#[test]
fn an_error_keeps_its_official_number() {
    let (_directory, client) = service(|mut stream| {
        let payload = Payload::GetSupportedAttKeyIdNum { att_key_id_num: 0 };
        let response = Response { error: Some(AesmError::Busy), payload };
        stream.write_all(&response.to_frame()).unwrap();
    });
    let error = client.call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Refused(AesmError::Busy)), "{error}");
    assert!(error.to_string().contains("AESM_BUSY, 18"), "{error}");
}

#[test]
fn silence_ends_at_the_deadline() {
    let (_directory, client) = service(|_stream| thread::sleep(Duration::from_secs(5)));
    let start = Instant::now();
    let error = client.call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_slow_drip_ends_at_the_deadline() {
    let (_directory, client) = service(|mut stream| {
        let mut drip = [0xff, 0xff, 0, 0].into_iter().chain(std::iter::repeat(0));
        while stream.write_all(&[drip.next().unwrap()]).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let error = client.call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
}

#[test]
fn bad_replies_are_told_apart() {
    let half = reply()[..7].to_vec();
    type Expected = fn(&ClientError) -> bool;
    let cases: [(Vec<u8>, Expected); 5] = [
        (vec![], |error| matches!(error, ClientError::Disconnected(_))),
        (half, |error| matches!(error, ClientError::Disconnected(_))),
        (vec![0; 4], |error| matches!(error, ClientError::Frame(_))),
        (vec![0xff; 4], |error| matches!(error, ClientError::Frame(_))),
        (vec![1, 0, 0, 0, 0], |error| matches!(error, ClientError::Response(_))),
    ];
    for (bytes, expected) in cases {
        let (_directory, client) = service(move |mut stream| stream.write_all(&bytes).unwrap());
        let error = client.call(&REQUEST).unwrap_err();
        assert!(expected(&error), "{error}");
    }
}

#[test]
fn an_absent_service_is_an_error_that_names_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let error = Client::new(&socket).call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    assert!(error.to_string().contains(socket.to_str().unwrap()), "{error}");

    let too_long = PathBuf::from("/").join("x".repeat(200));
    let error = Client::new(too_long).call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
}

#[test]
fn a_full_backlog_ends_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = UnixStream::connect(&socket).unwrap();
    let client = Client::new(&socket).timeout(Duration::from_millis(100));
    let error = client.call(&REQUEST).unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
}
