//! Every message of the protocol, against bytes that another protobuf implementation made.

use aesm::{FRAME_HEADER_SIZE, Payload, Request, RequestError, Response};
use sgx::AesmError;

const MESSAGES: &str = include_str!("../vectors/messages.txt");

fn requests(long: &[u8]) -> Vec<(&'static str, Request<'_>)> {
    vec![
        (
            "InitQuoteEx",
            Request::InitQuoteEx {
                att_key_id: Some(long),
                with_pub_key_id: true,
                buf_size: Some(5_000_000_004),
            },
        ),
        ("GetQuoteSizeEx", Request::GetQuoteSizeEx { att_key_id: Some(long) }),
        (
            "GetQuoteEx",
            Request::GetQuoteEx {
                report: long,
                att_key_id: Some(&[2; 2]),
                qe_report_info: Some(&[3; 3]),
                buf_size: 70_004,
            },
        ),
        ("SelectAttKeyId", Request::SelectAttKeyId { att_key_id_list: Some(long) }),
        ("GetSupportedAttKeyIdNum", Request::GetSupportedAttKeyIdNum),
        ("GetSupportedAttKeyIds", Request::GetSupportedAttKeyIds { buf_size: 70_001 }),
    ]
}

fn payloads() -> Vec<(&'static str, Payload)> {
    let two = || Some(vec![2; 2]);
    let three = || Some(vec![3; 3]);
    vec![
        (
            "InitQuoteEx",
            Payload::InitQuoteEx {
                target_info: two(),
                pub_key_id_size: 5_000_000_003,
                pub_key_id: Some(vec![4; 4]),
            },
        ),
        ("GetQuoteSizeEx", Payload::GetQuoteSizeEx { quote_size: 70_002 }),
        ("GetQuoteEx", Payload::GetQuoteEx { quote: two(), qe_report_info: three() }),
        ("SelectAttKeyId", Payload::SelectAttKeyId { selected_att_key_id: two() }),
        ("UnsupportedRequest", Payload::UnsupportedRequest),
        ("GetSupportedAttKeyIdNum", Payload::GetSupportedAttKeyIdNum { att_key_id_num: 70_002 }),
        ("GetSupportedAttKeyIds", Payload::GetSupportedAttKeyIds { att_key_ids: two() }),
    ]
}

/// The bytes of each message in one direction, with its name.
fn vectors(direction: &str) -> Vec<(&'static str, Vec<u8>)> {
    let lines = MESSAGES.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines
        .filter(|words| words[0] == direction)
        .map(|words| (words[1], hex::decode(words[2]).unwrap()))
        .collect()
}

const UNSUPPORTED: [&str; 10] = [
    "InitQuote",
    "GetQuote",
    "GetLaunchToken",
    "ReportAttestationError",
    "GetWhiteListSize",
    "GetWhiteList",
    "GetExtendedEpidGroupId",
    "SwitchExtendedEpidGroup",
    "Register",
    "CheckUpdateStatus",
];

/// Names and bytes of messages.
type Vectors = Vec<(&'static str, Vec<u8>)>;

/// The vectors of the ECDSA part, and the unsupported ones.
fn ecdsa_and_unsupported(direction: &str) -> (Vectors, Vectors) {
    vectors(direction).into_iter().partition(|(name, _)| !UNSUPPORTED.contains(name))
}

#[test]
fn each_request_is_read_and_written_to_the_byte() {
    let long = [1; 131];
    let (vectors, _) = ecdsa_and_unsupported("request");
    let requests = requests(&long);
    assert_eq!(vectors.len(), requests.len());
    for ((vector, bytes), (name, request)) in vectors.iter().zip(requests) {
        assert_eq!(*vector, name);
        assert_eq!(Request::decode(bytes), Ok(request), "{name}");
        let frame = request.to_frame(Some(15_000));
        assert_eq!(frame[FRAME_HEADER_SIZE..], bytes[..], "{name}");
        assert_eq!(frame[..FRAME_HEADER_SIZE], (bytes.len() as u32).to_le_bytes(), "{name}");
    }
}

#[test]
fn each_response_is_read_and_written_to_the_byte() {
    let (vectors, _) = ecdsa_and_unsupported("response");
    let payloads = payloads();
    assert_eq!(vectors.len(), payloads.len());
    for ((vector, bytes), (name, payload)) in vectors.iter().zip(payloads) {
        assert_eq!(*vector, name);
        let error = matches!(payload, Payload::UnsupportedRequest);
        let error = error.then_some(AesmError::UpdateAvailable);
        let response = Response { error, payload };
        assert_eq!(Response::decode(bytes).as_ref(), Ok(&response), "{name}");
        assert_eq!(response.to_frame()[FRAME_HEADER_SIZE..], bytes[..], "{name}");
    }
}

#[test]
fn operations_beyond_the_ecdsa_part_are_recognized_and_unsupported() {
    let (_, requests) = ecdsa_and_unsupported("request");
    assert_eq!(requests.len(), 10);
    for (name, bytes) in requests {
        match Request::decode(&bytes) {
            Err(RequestError::Unsupported(operation)) => assert_eq!(format!("{operation:?}"), name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let (_, responses) = ecdsa_and_unsupported("response");
    assert_eq!(responses.len(), 10);
    for (name, bytes) in responses {
        assert!(Response::decode(&bytes).is_err(), "{name}");
    }
}

#[test]
fn a_response_without_an_error_code_is_a_failure() {
    let response = Response::decode(&hex::decode("8201021005").unwrap()).unwrap();
    assert_eq!(response.error, Some(AesmError::Unexpected));
    assert_eq!(response.payload, Payload::GetQuoteSizeEx { quote_size: 5 });
}

#[test]
fn bytes_that_are_no_response_are_refused() {
    for damaged in ["", "00", "0801", "820108", "82010208", "ba0100", "ffffffffffffffffffff01"] {
        assert!(Response::decode(&hex::decode(damaged).unwrap()).is_err(), "{damaged}");
    }
}
