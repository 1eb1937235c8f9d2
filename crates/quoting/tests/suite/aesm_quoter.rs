//! The Quoter that asks a service, against services that are busy, absent, or not like ours.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use aesm::{ClientError, Operation, Payload, Request, Response};
use quoting::{AesmQuoter, QuoteRequest, Quoter, QuotingError};
use sgx::{AesmError, AttestationKeyId, Report};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The reply of a service to a request for a quote of `buf_size`.
type Answer = fn(Operation, u32, usize) -> Option<Response>;

/// A service that answers by the operation, the buffer's size, and how many requests came before.
/// Its requests come out of the channel.
fn serve(socket: &Path, answer: Answer) -> Receiver<(Operation, u32)> {
    let listener = UnixListener::bind(socket).unwrap();
    let (asked, questions) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let Some((operation, buf_size)) = read_request(&mut stream) else { continue };
            if asked.send((operation, buf_size)).is_err() {
                return;
            }
            if let Some(response) = answer(operation, buf_size, number) {
                let _ = stream.write_all(&response.to_frame());
            }
        }
    });
    questions
}

fn read_request(stream: &mut UnixStream) -> Option<(Operation, u32)> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let mut message = vec![0; u32::from_le_bytes(size) as usize];
    stream.read_exact(&mut message).ok()?;
    let request = Request::decode(&message).unwrap();
    let buf_size = match request {
        Request::GetQuoteEx { buf_size, .. } => buf_size,
        _ => 0,
    };
    Some((request.operation(), buf_size))
}

/// A reply with something that begins as a quote of 500 bytes does, `size` bytes long.
fn quote(size: u32) -> Option<Response> {
    let mut quote = vec![0; size as usize];
    quote[432..436].copy_from_slice(&64_u32.to_le_bytes());
    quote[436..].fill(1);
    let payload = Payload::GetQuoteEx { quote: Some(quote), qe_report_info: None };
    Some(Response { error: None, payload })
}

fn refusal(operation: Operation, error: AesmError) -> Option<Response> {
    let payload = match operation {
        Operation::GetQuoteEx => Payload::GetQuoteEx { quote: None, qe_report_info: None },
        _ => Payload::GetSupportedAttKeyIdNum { att_key_id_num: 0 },
    };
    Some(Response { error: Some(error), payload })
}

fn request() -> QuoteRequest {
    let key_id = AttestationKeyId::ecdsa_p256();
    QuoteRequest { report: Report::default(), key_id, qe_report_info: None }
}

/// The length of the quote from such a service, and what the service was asked.
fn quote_from(answer: Answer) -> (Result<usize, QuotingError>, Vec<(Operation, u32)>) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let questions = serve(&socket, answer);
    let reply = AesmQuoter::new(socket, TIMEOUT).quote(&request());
    (reply.map(|reply| reply.quote.len()), questions.try_iter().collect())
}

#[test]
fn a_quote_is_one_round_trip_and_has_no_padding() {
    let (size, asked) = quote_from(|_, buf_size, _| quote(buf_size));
    assert_eq!(size.unwrap(), 500);
    assert_eq!(asked, [(Operation::GetQuoteEx, 8192)]);
}

#[test]
fn a_quote_that_is_cut_short_is_refused() {
    for answer in [(|_, _, _| quote(499)) as Answer, |_, _, _| quote(436)] {
        let (size, _) = quote_from(answer);
        assert_eq!(size.unwrap_err().code(), AesmError::Unexpected);
    }
}

#[test]
fn the_size_is_asked_for_when_the_usual_buffer_is_refused() {
    fn answer(operation: Operation, buf_size: u32, _: usize) -> Option<Response> {
        match (operation, buf_size) {
            (Operation::GetQuoteEx, 9000) => quote(9000),
            (Operation::GetQuoteEx, _) => refusal(operation, AesmError::Parameter),
            _ => {
                let payload = Payload::GetQuoteSizeEx { quote_size: 9000 };
                Some(Response { error: None, payload })
            }
        }
    }
    let (size, asked) = quote_from(answer);
    assert_eq!(size.unwrap(), 500);
    let quote = Operation::GetQuoteEx;
    assert_eq!(asked, [(quote, 8192), (Operation::GetQuoteSizeEx, 0), (quote, 9000)]);
}

#[test]
fn a_size_beyond_all_bounds_is_not_asked_for() {
    let (size, asked) = quote_from(|operation, _, _| match operation {
        Operation::GetQuoteEx => refusal(operation, AesmError::Parameter),
        _ => {
            let payload = Payload::GetQuoteSizeEx { quote_size: u32::MAX };
            Some(Response { error: None, payload })
        }
    });
    assert_eq!(size.unwrap_err().code(), AesmError::Unexpected);
    assert_eq!(asked.len(), 2);
}

#[test]
fn a_key_that_is_not_there_yet_is_made() {
    fn answer(operation: Operation, buf_size: u32, number: usize) -> Option<Response> {
        match (operation, number) {
            (Operation::GetQuoteEx, 0) => refusal(operation, AesmError::AttKeyNotInitialized),
            (Operation::GetQuoteEx, _) => quote(buf_size),
            _ => {
                let (target_info, pub_key_id) = (Some(vec![0; 512]), Some(vec![0; 32]));
                let payload = Payload::InitQuoteEx { target_info, pub_key_id_size: 32, pub_key_id };
                Some(Response { error: None, payload })
            }
        }
    }
    let (size, asked) = quote_from(answer);
    assert_eq!(size.unwrap(), 500);
    assert_eq!(asked[1], (Operation::InitQuoteEx, 0));
}

#[test]
fn whoever_is_busy_stopping_or_gone_is_asked_again() {
    let (size, asked) = quote_from(|operation, buf_size, number| match number {
        0 => refusal(operation, AesmError::Busy),
        1 => refusal(operation, AesmError::ServiceStopped),
        2 => None,
        _ => quote(buf_size),
    });
    assert_eq!((size.unwrap(), asked.len()), (500, 4));
}

#[test]
fn other_errors_are_final() {
    let answer: Answer = |operation, _, _| refusal(operation, AesmError::ServiceUnavailable);
    let (size, asked) = quote_from(answer);
    assert_eq!(size.unwrap_err().code(), AesmError::ServiceUnavailable);
    assert_eq!(asked.len(), 1);
}

/// The first answer takes more than half of the time, and after it there is none.
fn slow(operation: Operation, error: AesmError, number: usize) -> Option<Response> {
    let time = if number == 0 { Duration::from_millis(600) } else { TIMEOUT };
    thread::sleep(time);
    refusal(operation, error)
}

#[test]
fn all_requests_and_attempts_together_stay_within_the_time() {
    let answers: [(Answer, AesmError); 2] = [
        // The reply is more informative than the timeout of the second attempt.
        (|operation, _, number| slow(operation, AesmError::Busy, number), AesmError::Busy),
        // The second request is another one.
        (
            |operation, _, number| slow(operation, AesmError::AttKeyNotInitialized, number),
            AesmError::ServiceUnavailable,
        ),
    ];
    for (answer, code) in answers {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let _asked = serve(&socket, answer);
        let start = Instant::now();
        let error = AesmQuoter::new(&socket, Duration::from_secs(1)).quote(&request()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(start.elapsed() < Duration::from_millis(1400), "{:?}", start.elapsed());
    }
}

#[test]
fn an_absent_service_is_waited_for_where_it_has_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let timeout = Duration::from_millis(300);
    let fails_after = |socket: &Path| {
        let start = Instant::now();
        let quoter = AesmQuoter::new(socket, TIMEOUT).reconnect_timeout(timeout);
        let error = quoter.quote_size(&AttestationKeyId::ecdsa_p256()).unwrap_err();
        assert!(matches!(error, QuotingError::Service(ClientError::Connect { .. })), "{error}");
        start.elapsed()
    };
    assert!(fails_after(&directory.path().join("nowhere/aesm.socket")) < timeout);
    let waited = fails_after(&directory.path().join("aesm.socket"));
    assert!((timeout..Duration::from_secs(5)).contains(&waited), "{waited:?}");
}

#[test]
fn a_service_that_comes_back_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    drop(UnixListener::bind(&socket).unwrap());
    let quoter = AesmQuoter::new(&socket, TIMEOUT).reconnect_timeout(TIMEOUT);
    let waiting = thread::spawn(move || quoter.quote(&request()).map(|reply| reply.quote.len()));
    thread::sleep(Duration::from_millis(50));
    std::fs::remove_file(&socket).unwrap();
    let _asked = serve(&socket, |_, buf_size, _| quote(buf_size));
    assert_eq!(waiting.join().unwrap().unwrap(), 500);
}

#[test]
fn an_absent_service_is_waited_for_once_and_found_as_soon_as_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let timeout = Duration::from_millis(500);
    let quoter = AesmQuoter::new(&socket, TIMEOUT).reconnect_timeout(timeout);
    let fails_after = || {
        let start = Instant::now();
        assert!(quoter.quote(&request()).is_err());
        start.elapsed()
    };
    assert!(fails_after() >= timeout);
    let ten_more: Duration = (0..10).map(|_| fails_after()).sum();
    assert!(ten_more < timeout, "ten calls took {ten_more:?}");

    let _questions = serve(&socket, |_, buf_size, _| quote(buf_size));
    quoter.quote(&request()).unwrap();
    // The service has been there since, so that it is worth waiting for once more.
    std::fs::remove_file(&socket).unwrap();
    assert!(fails_after() >= timeout);
}
