//! Recorded requests of unmodified clients get the expected replies, in order.

use crate::support::{Service, report};
use aesm::{Payload, Request, Response};
use sgx::{AesmError, FromBytes, IntoBytes, Quote, TargetInfo};

const INTEL_QUOTE_EX: &str =
    include_str!("../../../aesm/tests/vectors/intel-libsgx_quote_ex.requests.hex");
const INTEL_DCAP_QL: &str =
    include_str!("../../../aesm/tests/vectors/intel-libsgx_dcap_ql.requests.hex");
const GRAMINE: &str = include_str!("../../../aesm/tests/vectors/gramine.requests.hex");
const FORTANIX: &str =
    include_str!("../../../aesm/tests/vectors/fortanix-aesm-client.requests.hex");

/// Sends the recorded requests, in which the REPORT is replaced by one for this platform's QE.
fn replay(recorded: &str) {
    let service = Service::ordinary();
    let (mut target_info, mut quotes) = (TargetInfo::default(), 0);
    for line in recorded.lines() {
        let mut message = hex::decode(line).unwrap();
        if Request::decode(&message).is_err() {
            // A request for an EPID quote.
            assert!(service.raw(&crate::support::framed(&message)).is_empty());
            continue;
        }
        if let Request::GetQuoteEx { report: stale, .. } = Request::decode(&message).unwrap() {
            // It was made for the QE of the recording.
            let error = Response::decode(&service.ask(&message)).unwrap().error;
            assert_eq!(error, Some(AesmError::InvalidReport));
            let place = message.windows(stale.len()).position(|bytes| bytes == stale).unwrap();
            let place = place..place + stale.len();
            message[place].copy_from_slice(report(&target_info).as_bytes());
        }
        let request = Request::decode(&message).unwrap();
        let response = Response::decode(&service.ask(&message)).unwrap();
        match (request, response.payload) {
            (
                Request::GetQuoteEx { buf_size, qe_report_info, .. },
                Payload::GetQuoteEx { quote: Some(quote), qe_report_info: proof },
            ) => {
                assert_eq!(quote.len(), buf_size as usize);
                let body = Quote::parse_padded(&quote).unwrap().body;
                assert_eq!(body, report(&target_info).body.into());
                assert_eq!(proof.is_some(), qe_report_info.is_some());
                quotes += 1;
            }
            (
                Request::InitQuoteEx { with_pub_key_id, .. },
                Payload::InitQuoteEx { target_info: Some(info), pub_key_id_size: 32, pub_key_id },
            ) => {
                assert_eq!(pub_key_id.is_some(), with_pub_key_id);
                target_info = TargetInfo::read_from_bytes(&info).unwrap();
            }
            (Request::GetQuoteSizeEx { .. }, Payload::GetQuoteSizeEx { quote_size }) => {
                assert!(quote_size > 4000);
            }
            (request, _) if response.error == Some(AesmError::Parameter) => {
                // One client asks for the wrong size first, to see the error.
                assert!(matches!(request, Request::GetSupportedAttKeyIds { .. }), "{request:?}");
            }
            _ => assert_eq!(response.error, None),
        }
    }
    assert!(quotes > 0, "the recording has a quote");
}

#[test]
fn intel_libsgx_quote_ex() {
    replay(INTEL_QUOTE_EX);
}

#[test]
fn intel_libsgx_dcap_ql() {
    replay(INTEL_DCAP_QL);
}

#[test]
fn gramine() {
    replay(GRAMINE);
}

#[test]
fn fortanix() {
    replay(FORTANIX);
}
