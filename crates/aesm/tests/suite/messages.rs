//! Every message of the protocol, against bytes that another protobuf implementation made.

use aesm::{FRAME_HEADER_SIZE, Payload, Request, Response};
use sgx::AesmError;

const MESSAGES: &str = include_str!("../vectors/messages.txt");

fn requests(long: &[u8]) -> Vec<(&'static str, Request<'_>)> {
    vec![
        ("InitQuote", Request::InitQuote),
        (
            "GetQuote",
            Request::GetQuote {
                report: long,
                quote_type: 70_002,
                spid: &[3; 3],
                nonce: Some(&[4; 4]),
                sig_rl: Some(&[5; 5]),
                buf_size: 70_006,
                qe_report: Some(true),
            },
        ),
        (
            "GetLaunchToken",
            Request::GetLaunchToken {
                mr_enclave: long,
                mr_signer: &[2; 2],
                se_attributes: &[3; 3],
            },
        ),
        (
            "ReportAttestationError",
            Request::ReportAttestationError {
                platform_info: long,
                attestation_error_code: 70_002,
                update_info_size: 70_003,
            },
        ),
        ("GetWhiteListSize", Request::GetWhiteListSize),
        ("GetWhiteList", Request::GetWhiteList { white_list_size: 70_001 }),
        ("GetExtendedEpidGroupId", Request::GetExtendedEpidGroupId),
        ("SwitchExtendedEpidGroup", Request::SwitchExtendedEpidGroup { x_group_id: 70_001 }),
        ("Register", Request::Register { buf: long, data_type: 70_002 }),
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
        (
            "CheckUpdateStatus",
            Request::CheckUpdateStatus {
                platform_info: long,
                update_info_size: Some(70_002),
                config: Some(70_003),
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
        ("InitQuote", Payload::InitQuote { target_info: two(), gid: three() }),
        ("GetQuote", Payload::GetQuote { quote: two(), qe_report: three() }),
        ("GetLaunchToken", Payload::GetLaunchToken { token: two() }),
        ("ReportAttestationError", Payload::ReportAttestationError { platform_update_info: two() }),
        ("GetWhiteListSize", Payload::GetWhiteListSize { white_list_size: Some(70_002) }),
        ("GetWhiteList", Payload::GetWhiteList { white_list: two() }),
        ("GetExtendedEpidGroupId", Payload::GetExtendedEpidGroupId { x_group_id: Some(70_002) }),
        ("SwitchExtendedEpidGroup", Payload::SwitchExtendedEpidGroup),
        ("Register", Payload::Register),
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
        (
            "CheckUpdateStatus",
            Payload::CheckUpdateStatus { platform_update_info: two(), status: Some(70_003) },
        ),
        ("SelectAttKeyId", Payload::SelectAttKeyId { selected_att_key_id: two() }),
        ("UnsupportedRequest", Payload::UnsupportedRequest),
        ("GetSupportedAttKeyIdNum", Payload::GetSupportedAttKeyIdNum { att_key_id_num: 70_002 }),
        ("GetSupportedAttKeyIds", Payload::GetSupportedAttKeyIds { att_key_ids: two() }),
    ]
}

/// The committed bytes of one direction, with the names of their messages.
fn vectors(direction: &str) -> Vec<(&'static str, Vec<u8>)> {
    let lines = MESSAGES.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines
        .filter(|words| words[0] == direction)
        .map(|words| (words[1], hex::decode(words[2]).unwrap()))
        .collect()
}

#[test]
fn each_request_is_read_and_written_to_the_byte() {
    let long = [1; 131];
    let vectors = vectors("request");
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
    let vectors = vectors("response");
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
