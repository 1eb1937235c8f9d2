//! The requests are those of the recordings, byte by byte.

use aesm::{Payload, Request};
use conformance::{Options, run};

use crate::support::{TIMEOUT, Treatment, proxy};

/// The size of a quote when the recordings were made.
const RECORDED_QUOTE_SIZE: u32 = 4_543;

/// The messages that the run sends for each client, in the order of the clients.
fn sent() -> Vec<Vec<u8>> {
    let (served, requests) = proxy(|_, mut reply| {
        if let Payload::GetQuoteSizeEx { quote_size } = &mut reply.payload
            && reply.error.is_none()
        {
            *quote_size = RECORDED_QUOTE_SIZE;
        }
        Treatment::Send(reply.to_frame())
    });
    let _ = run(&served.socket, Options { timeout: TIMEOUT, verifier: None });
    requests.try_iter().collect()
}

/// The message without what differs from run to run: REPORT, nonce and target info.
fn comparable(message: &[u8]) -> Vec<u8> {
    let mut comparable = message.to_vec();
    if let Ok(Request::GetQuoteEx { report, qe_report_info, .. }) = Request::decode(message) {
        for part in [Some(report), qe_report_info].into_iter().flatten() {
            let place = message.windows(part.len()).position(|bytes| bytes == part).unwrap();
            comparable[place..place + part.len()].fill(0);
        }
    }
    comparable
}

#[track_caller]
fn is_sent(recording: &str) {
    let mut recorded: Vec<_> =
        recording.lines().map(|line| comparable(&hex::decode(line).unwrap())).collect();
    // Requests for EPID are none of this service; one client repeats a request.
    recorded.retain(|message| Request::decode(message).is_ok());
    recorded.dedup();
    let sent: Vec<_> = sent().iter().map(|message| comparable(message)).collect();
    let is_there = sent.windows(recorded.len()).any(|messages| messages == recorded);
    assert!(is_there, "the run does not send these messages in this order");
}

#[test]
fn intel_libsgx_quote_ex() {
    is_sent(include_str!("../../../aesm/tests/vectors/intel-libsgx_quote_ex.requests.hex"));
}

#[test]
fn intel_libsgx_dcap_ql() {
    is_sent(include_str!("../../../aesm/tests/vectors/intel-libsgx_dcap_ql.requests.hex"));
}

#[test]
fn gramine() {
    is_sent(include_str!("../../../aesm/tests/vectors/gramine.requests.hex"));
}

#[test]
fn fortanix() {
    is_sent(include_str!("../../../aesm/tests/vectors/fortanix-aesm-client.requests.hex"));
}
