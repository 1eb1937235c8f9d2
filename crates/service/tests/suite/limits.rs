//! No client delays another one: slow quotes, stalled requests, unread replies, full queues.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Service, TestQuoter, framed, read_all, software_quoter};
use aesm::{Client, ClientError, FRAME_HEADER_SIZE, Payload, Request, Response};
use service::Limits;
use sgx::{AesmError, AttestationKeyId, IntoBytes, Report};

const KEY_IDS: Request<'_> = Request::GetSupportedAttKeyIdNum;

fn ask_for_a_quote(client: &Client) -> Result<Payload, ClientError> {
    client.call(&Request::GetQuoteEx {
        report: Report::default().as_bytes(),
        att_key_id: Some(AttestationKeyId::ecdsa_p256().as_bytes()),
        qe_report_info: None,
        buf_size: 100,
    })
}

fn is_served(service: &Service) -> bool {
    Client::new(&service.socket).timeout(Duration::from_secs(10)).call(&KEY_IDS).is_ok()
}

/// The error in the reply on this connection, if there is one.
fn answer(stream: &mut UnixStream) -> Option<AesmError> {
    stream.write_all(&KEY_IDS.to_frame(None)).unwrap();
    let mut reply = [0; 64];
    let size = stream.read(&mut reply).unwrap();
    Response::decode(&reply[FRAME_HEADER_SIZE..size]).unwrap().error
}

fn short() -> Limits {
    let short = Duration::from_millis(300);
    let limits = Limits::default();
    Limits { request_timeout: short, reply_timeout: short, idle_timeout: short, ..limits }
}

#[test]
fn cheap_requests_do_not_wait_for_quotes_and_a_full_queue_is_busy_at_once() {
    let gated = Arc::new(TestQuoter::gated());
    let limits = Limits { queued_quotes: 3, ..Limits::default() };
    let service = Service::start(gated.clone(), limits);
    let client = Client::new(&service.socket);
    thread::scope(|scope| {
        let quotes: Vec<_> = (0..5).map(|_| scope.spawn(|| ask_for_a_quote(&client))).collect();
        // Three quotes wait, from some moment on.
        let deadline = Instant::now() + Duration::from_secs(10);
        let busy = loop {
            let begin = Instant::now();
            match ask_for_a_quote(&client.clone().timeout(Duration::from_millis(200))) {
                Err(ClientError::Refused(error)) => break (error, begin.elapsed()),
                _ => assert!(Instant::now() < deadline, "the queue never fills"),
            }
        };
        assert_eq!(busy.0, AesmError::Busy);
        assert!(busy.1 < Duration::from_millis(200));
        for _ in 0..20 {
            assert!(is_served(&service));
        }
        gated.open_gate();
        let made = quotes.into_iter().map(|quote| quote.join().unwrap());
        // The probing above may have taken places in the queue from them.
        for outcome in made {
            match outcome {
                Ok(Payload::GetQuoteEx { quote: Some(quote), .. }) => assert_eq!(quote.len(), 100),
                Err(ClientError::Refused(AesmError::Busy)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(ask_for_a_quote(&client).is_ok());
}

#[test]
fn a_quote_that_takes_too_long_times_out() {
    let gated = Arc::new(TestQuoter::gated());
    let limits = Limits { quote_timeout: Duration::from_millis(100), ..Limits::default() };
    let service = Service::start(gated.clone(), limits);
    let client = Client::new(&service.socket);
    let outcome = ask_for_a_quote(&client);
    assert!(matches!(outcome, Err(ClientError::Refused(AesmError::ServiceUnavailable))));
    gated.open_gate();
    assert!(ask_for_a_quote(&client).is_ok());
}

#[test]
fn without_an_attestation_key_clients_are_told_to_initialize() {
    let quote_size = Err(AesmError::AttKeyNotInitialized);
    let quoter = TestQuoter { quote_size, ..TestQuoter::default() };
    let service = Service::start(Arc::new(quoter), Limits::default());
    let outcome = ask_for_a_quote(&Client::new(&service.socket));
    assert!(matches!(outcome, Err(ClientError::Refused(AesmError::AttKeyNotInitialized))));
}

#[test]
fn stalled_requests_are_closed_in_time_and_delay_nobody() {
    let service = Service::start(software_quoter(), short());
    let frame = framed(&hex::decode("aa0100").unwrap());
    let mut stalled: Vec<_> = (0..frame.len())
        .map(|sent| {
            let mut stream = service.connect();
            stream.write_all(&frame[..sent]).unwrap();
            stream
        })
        .collect();
    assert!(is_served(&service));
    let begin = Instant::now();
    for stream in &mut stalled {
        assert!(read_all(stream).is_empty());
    }
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(is_served(&service));
}

#[test]
fn a_request_that_drips_in_is_closed_in_time() {
    let service = Service::start(software_quoter(), short());
    // A request that would be answered, and one above the limit.
    for size in [1000_u32, 500_000] {
        let mut stream = service.connect();
        stream.write_all(&size.to_le_bytes()).unwrap();
        let begin = Instant::now();
        while stream.write_all(&[0]).is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(10), "the drip of {size} is never cut");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_active_client_keeps_its_connection() {
    let service = Service::start(software_quoter(), short());
    let mut stream = service.connect();
    let frame = framed(&hex::decode("aa0100").unwrap());
    for _ in 0..4 {
        stream.write_all(&frame).unwrap();
        let mut reply = [0; 11];
        stream.read_exact(&mut reply).unwrap();
        thread::sleep(Duration::from_millis(150));
    }
}

#[test]
fn unread_replies_delay_nobody() {
    let service = Service::start(software_quoter(), short());
    let request = Request::GetSupportedAttKeyIds { buf_size: 256 }.to_frame(None);
    let mut greedy = service.connect();
    greedy.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let begin = Instant::now();
    // The service stops reading once its replies are stuck, and closes the connection then.
    while greedy.write_all(&request).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(9), "the connection is never closed");
    }
    assert!(is_served(&service));
}

#[test]
fn with_no_connection_left_the_least_recently_active_one_is_closed() {
    let limits = Limits { connections: 3, ..Limits::default() };
    let service = Service::start(software_quoter(), limits);
    let mut idle = [service.connect(), service.connect(), service.connect()];
    // The first one goes on, so that the second one has been idle for longest. The service notes
    // activity after the reply, hence the pauses.
    for active in [0, 1, 2, 0] {
        assert_eq!(answer(&mut idle[active]), None);
        thread::sleep(Duration::from_millis(500));
    }
    assert!(is_served(&service));
    assert!(read_all(&mut idle[1]).is_empty());
    assert_eq!(answer(&mut idle[0]), None);
    assert_eq!(answer(&mut idle[2]), None);
}

#[test]
fn unfinished_requests_lose_their_connections_to_new_ones() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let service = Service::start(software_quoter(), limits);
    let mut stalled = [service.connect(), service.connect()];
    for stream in &mut stalled {
        stream.write_all(&[1]).unwrap();
    }
    let begin = Instant::now();
    assert!(is_served(&service));
    assert!(begin.elapsed() < Duration::from_secs(1), "nobody waits for their time-out");
    assert!(read_all(&mut stalled[0]).is_empty());
}

#[test]
fn idle_connections_delay_nobody() {
    let service = Service::ordinary();
    let idle: Vec<_> = (0..400).map(|_| service.connect()).collect();
    for _ in 0..100 {
        assert!(is_served(&service));
    }
    drop(idle);
}

#[test]
fn a_connection_beyond_the_quota_gets_one_busy_reply_and_the_others_stay_open() {
    let limits = Limits { connections_per_caller: 2, ..Limits::default() };
    let service = Service::start(software_quoter(), limits);
    let mut few = [service.connect(), service.connect()];
    for stream in &mut few {
        assert_eq!(answer(stream), None);
    }
    let (mut slow, mut one_more) = (service.connect(), service.connect());
    assert_eq!(answer(&mut one_more), Some(AesmError::Busy));
    assert!(read_all(&mut slow).is_empty(), "it is not kept for long");
    assert!(read_all(&mut one_more).is_empty());
    let mut asks_on = service.connect();
    asks_on.write_all(&KEY_IDS.to_frame(None).repeat(2)).unwrap();
    let mut reply = [0; 64];
    let size = asks_on.read(&mut reply).unwrap();
    let first = FRAME_HEADER_SIZE + usize::from(reply[0]);
    assert_eq!(size, first, "it cannot stay by asking on");
    assert!(matches!(asks_on.read(&mut reply), Ok(0) | Err(_)));
    for stream in &mut few {
        assert_eq!(answer(stream), None);
    }
    drop(few);
    assert!(is_served(&service));
}
