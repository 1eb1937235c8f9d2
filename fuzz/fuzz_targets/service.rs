//! The service through its front door: whatever a client sends, every request is answered in its
//! turn with a reply of its own kind, and the next client is served.
#![no_main]

use std::future;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use aesm::{MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE, Operation, Request, RequestError, Response};
use fuzz::messages;
use libfuzzer_sys::fuzz_target;
use quoting::SoftwareQuoter;
use service::{Metrics, Rules, StopReason};

/// The operations that are answered. A reply to any other would crash its client.
const SERVED: [Operation; 6] = [
    Operation::InitQuoteEx,
    Operation::GetQuoteSizeEx,
    Operation::GetQuoteEx,
    Operation::SelectAttKeyId,
    Operation::GetSupportedAttKeyIdNum,
    Operation::GetSupportedAttKeyIds,
];

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let next_client = Request::GetSupportedAttKeyIdNum.to_frame(None);
    assert_eq!(check(&next_client), 1);
});

/// Sends the bytes to the service, checks its replies, and counts them.
fn check(bytes: &[u8]) -> usize {
    let Exchange { received, reset } = exchange(bytes);
    let replies: Vec<&[u8]> = messages(&received, MAX_RESPONSE_SIZE).collect();
    let served: Vec<Operation> = messages(bytes, MAX_REQUEST_SIZE).map_while(served).collect();
    for (reply, operation) in replies.iter().zip(&served) {
        assert!(reply.starts_with(&key(*operation)), "another reply than {operation:?}");
        assert!(Response::decode(reply).is_ok());
    }
    if !reset {
        assert_eq!(received.len(), replies.iter().map(|reply| reply.len() + 4).sum::<usize>());
        assert_eq!(replies.len(), served.len());
    }
    replies.len()
}

/// The operation of a request that has to be answered, be it with an error.
fn served(request: &[u8]) -> Option<Operation> {
    match Request::decode(request) {
        Ok(request) => Some(request.operation()),
        Err(RequestError::Malformed(operation)) => {
            SERVED.contains(&operation).then_some(operation)
        }
        Err(RequestError::Unsupported(_) | RequestError::Unrecognized) => None,
    }
}

/// The first bytes of a reply to this operation: the same field number, and the wire type of bytes.
fn key(operation: Operation) -> Vec<u8> {
    match operation.number() << 3 | 2 {
        key @ 0..0x80 => vec![key as u8],
        key => vec![key as u8 | 0x80, (key >> 7) as u8],
    }
}

struct Exchange {
    received: Vec<u8>,
    /// The service has closed the connection before it had read all.
    reset: bool,
}

/// All that comes back for these bytes, sent in two pieces.
fn exchange(bytes: &[u8]) -> Exchange {
    let mut stream = UnixStream::connect_addr(&SERVICE).expect("the service accepts");
    stream.set_read_timeout(Some(Duration::from_secs(4))).expect("a valid time");
    let (start, rest) = bytes.split_at(bytes.len() / 2);
    // The service may have closed the connection already.
    let _ = stream.write_all(start).and_then(|()| stream.write_all(rest));
    let _ = stream.shutdown(Shutdown::Write);
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Ok(_) => Exchange { received, reset: false },
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
            Exchange { received, reset: true }
        }
        Err(error) => panic!("the service neither replies nor closes the connection: {error}"),
    }
}

/// One service for all inputs of this process.
static SERVICE: LazyLock<SocketAddr> = LazyLock::new(|| {
    let name = format!("quote-service-under-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("a name of our own");
    thread::spawn(move || serve(listener));
    address
});

fn serve(listener: UnixListener) {
    let quoter = Arc::new(SoftwareQuoter::new(Arc::new(fuzz::platform())));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let metrics = Metrics::new("software");
    let (rules, never) = (Rules::default().fixed(), future::pending::<StopReason>());
    let served = service::serve(listener, quoter, rules, metrics, never);
    runtime.expect("a runtime").block_on(served).expect("nothing ends the service");
}
