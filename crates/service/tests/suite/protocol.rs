//! The replies to valid and invalid requests, to the byte.

use std::io::Write;
use std::sync::Arc;

use crate::support::{Service, TestQuoter, framed, read_all, report};
use aesm::{Payload, Request, Response};
use sgx::{
    AesmError, AttestationKeyId, FromBytes, IntoBytes, QeReportInfo, Quote, TargetInfo, U16,
};

fn key_id() -> AttestationKeyId {
    AttestationKeyId::ecdsa_p256()
}

fn call(service: &Service, request: &Request<'_>) -> Response {
    let frame = request.to_frame(None);
    Response::decode(&service.ask(&frame[4..])).unwrap()
}

fn target_info(service: &Service) -> TargetInfo {
    let key_id = key_id();
    let request = Request::InitQuoteEx {
        att_key_id: Some(key_id.as_bytes()),
        with_pub_key_id: true,
        buf_size: Some(32),
    };
    match call(service, &request).payload {
        Payload::InitQuoteEx { target_info: Some(bytes), .. } => {
            TargetInfo::read_from_bytes(&bytes).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn quote_size(service: &Service) -> u32 {
    let key_id = key_id();
    let request = Request::GetQuoteSizeEx { att_key_id: Some(key_id.as_bytes()) };
    match call(service, &request) {
        Response { error: None, payload: Payload::GetQuoteSizeEx { quote_size } } => quote_size,
        other => panic!("{other:?}"),
    }
}

/// Sends a GetQuoteEx whose fields `change` has changed, and gives the error and what is echoed.
struct QuoteFields {
    report: Vec<u8>,
    key_id: Option<Vec<u8>>,
    info: Option<Vec<u8>>,
    buf_size: u32,
}

fn quote_error(service: &Service, change: impl FnOnce(&mut QuoteFields)) -> Option<AesmError> {
    let mut fields = QuoteFields {
        report: report(&target_info(service)).as_bytes().to_vec(),
        key_id: Some(key_id().as_bytes().to_vec()),
        info: None,
        buf_size: quote_size(service),
    };
    change(&mut fields);
    let request = Request::GetQuoteEx {
        report: &fields.report,
        att_key_id: fields.key_id.as_deref(),
        qe_report_info: fields.info.as_deref(),
        buf_size: fields.buf_size,
    };
    let response = call(service, &request);
    if response.error.is_some() {
        let echoed = Payload::GetQuoteEx { quote: None, qe_report_info: fields.info };
        assert_eq!(response.payload, echoed);
    }
    response.error
}

#[test]
fn key_ids_are_counted_and_listed() {
    let service = Service::ordinary();
    assert_eq!(hex::encode(service.ask(&hex::decode("aa0103489875").unwrap())), "aa010408001001");
    let list = service.ask(&hex::decode("b20106088002489875").unwrap());
    assert_eq!(hex::encode(&list[..8]), "b201850208001280");
    assert_eq!(list[9..], *key_id().as_bytes());
    for wrong in [0, 255, 257, 512, u32::MAX] {
        let response = call(&service, &Request::GetSupportedAttKeyIds { buf_size: wrong });
        assert_eq!(response.error, Some(AesmError::Parameter), "{wrong}");
    }
}

#[test]
fn a_quote_is_never_cut_to_the_callers_buffer() {
    let quoter = TestQuoter { quote_size: Ok(99), ..TestQuoter::default() };
    let service = Service::start(Arc::new(quoter), service::Limits::default());
    let size = quote_size(&service);
    let error = |buf_size| quote_error(&service, |fields| fields.buf_size = buf_size);
    assert_eq!(error(size), Some(AesmError::Parameter));
    assert_eq!(error(size + 1), None);
}

#[test]
fn without_a_key_there_is_no_service() {
    let quoter = TestQuoter { key_ids: Vec::new(), ..TestQuoter::default() };
    let service = Service::start(Arc::new(quoter), service::Limits::default());
    let key_id = key_id();
    let id = Some(key_id.as_bytes());
    let report = sgx::Report::default();
    let error = |request| call(&service, &request).error.map(AesmError::number);
    assert_eq!(error(Request::GetSupportedAttKeyIdNum), Some(30));
    assert_eq!(error(Request::SelectAttKeyId { att_key_id_list: None }), Some(38));
    assert_eq!(error(Request::GetQuoteSizeEx { att_key_id: id }), Some(38));
    let initialize =
        Request::InitQuoteEx { att_key_id: id, with_pub_key_id: false, buf_size: None };
    assert_eq!(error(initialize), Some(38));
    let quote = Request::GetQuoteEx {
        report: report.as_bytes(),
        att_key_id: id,
        qe_report_info: None,
        buf_size: 8192,
    };
    assert_eq!(error(quote), Some(38));
}

#[test]
fn initialize_asks_for_sizes_first_and_ignores_buf_size_then() {
    let service = Service::ordinary();
    let key_id = key_id();
    for buf_size in [None, Some(0), Some(32), Some(u64::MAX)] {
        let request = Request::InitQuoteEx {
            att_key_id: Some(key_id.as_bytes()),
            with_pub_key_id: false,
            buf_size,
        };
        let payload = Payload::InitQuoteEx {
            target_info: Some(vec![0; 512]),
            pub_key_id_size: 32,
            pub_key_id: None,
        };
        assert_eq!(call(&service, &request), Response { error: None, payload });
    }
}

#[test]
fn initialize_gives_target_info_and_public_key_id() {
    let service = Service::ordinary();
    let key_id = key_id();
    let with_size = |buf_size| Request::InitQuoteEx {
        att_key_id: Some(key_id.as_bytes()),
        with_pub_key_id: true,
        buf_size,
    };
    match call(&service, &with_size(Some(32))).payload {
        Payload::InitQuoteEx {
            target_info: Some(target_info),
            pub_key_id_size: 32,
            pub_key_id: Some(id),
        } => assert_eq!((target_info.len(), id.len()), (512, 32)),
        other => panic!("{other:?}"),
    }
    for wrong in [None, Some(0), Some(31), Some(33), Some(u64::MAX)] {
        let pub_key_id_size = wrong.unwrap_or(0);
        let payload = Payload::InitQuoteEx { target_info: None, pub_key_id_size, pub_key_id: None };
        let expected = Response { error: Some(AesmError::Parameter), payload };
        assert_eq!(call(&service, &with_size(wrong)), expected);
    }
}

#[test]
fn key_ids_are_compared_in_their_first_158_bytes_only() {
    let service = Service::ordinary();
    let size =
        |bytes: Option<&[u8]>| call(&service, &Request::GetQuoteSizeEx { att_key_id: bytes }).error;
    let mut bytes = key_id().as_bytes().to_vec();
    bytes[158..].fill(0xaa);
    assert_eq!(size(Some(&bytes)), None);
    bytes.extend([1; 100]);
    assert_eq!(size(Some(&bytes)), None);
    assert_eq!(size(Some(&bytes[..255])), Some(AesmError::Parameter));
    assert_eq!(size(Some(&[])), Some(AesmError::Parameter));
    assert_eq!(size(None), Some(AesmError::Parameter));
    for position in 0..158 {
        let mut other = key_id().as_bytes().to_vec();
        other[position] ^= 1;
        assert_eq!(size(Some(&other)), Some(AesmError::UnsupportedAttKeyId), "{position}");
    }
}

#[test]
fn a_quote_is_padded_to_exactly_the_callers_buffer() {
    let service = Service::ordinary();
    let report = report(&target_info(&service));
    let key_id = key_id();
    let size = quote_size(&service);
    for buf_size in [size, size + 1, 8192, service::MAX_QUOTE_BUFFER] {
        let request = Request::GetQuoteEx {
            report: report.as_bytes(),
            att_key_id: Some(key_id.as_bytes()),
            qe_report_info: None,
            buf_size,
        };
        let Payload::GetQuoteEx { quote: Some(quote), qe_report_info: None } =
            call(&service, &request).payload
        else {
            panic!("no quote")
        };
        assert_eq!(quote.len(), buf_size as usize);
        assert!(quote[size as usize..].iter().all(|byte| *byte == 0));
        assert_eq!(Quote::parse(&quote[..size as usize]).unwrap().body, report.body.into());
    }
}

#[test]
fn bad_fields_of_a_quote_request_have_their_codes() {
    let service = Service::ordinary();
    let size = quote_size(&service);
    let parameter = Some(AesmError::Parameter);
    assert_eq!(quote_error(&service, |_| {}), None);
    for wrong in [0, 1, size - 1, service::MAX_QUOTE_BUFFER + 1, 1 << 31, u32::MAX] {
        assert_eq!(quote_error(&service, |fields| fields.buf_size = wrong), parameter, "{wrong}");
    }
    for wrong in [0, 1, 384, 431, 433] {
        assert_eq!(quote_error(&service, |fields| fields.report.resize(wrong, 0)), parameter);
    }
    for wrong in [0, 528, 959, 961] {
        let info = Some(vec![1; wrong]);
        assert_eq!(quote_error(&service, |fields| fields.info = info), parameter, "{wrong}");
    }
    assert_eq!(quote_error(&service, |fields| fields.key_id = None), parameter);
    let other = Some(vec![1; 256]);
    assert_eq!(
        quote_error(&service, |fields| fields.key_id = other),
        Some(AesmError::UnsupportedAttKeyId)
    );
}

#[test]
fn a_report_that_does_not_verify_is_refused() {
    let service = Service::ordinary();
    let invalid = Some(AesmError::InvalidReport);
    for position in [0, 64, 383, 384, 415, 416, 431] {
        let flipped = quote_error(&service, |fields| fields.report[position] ^= 0x80);
        assert_eq!(flipped, invalid, "{position}");
    }
    let mut other = target_info(&service);
    other.config_svn = U16::new(1);
    let for_another = report(&other).as_bytes().to_vec();
    assert_eq!(quote_error(&service, |fields| fields.report = for_another), invalid);
}

#[test]
fn a_refused_quote_echoes_the_qe_report_info() {
    let service = Service::ordinary();
    let info = Some(QeReportInfo::default().as_bytes().to_vec());
    let echoed = quote_error(&service, |fields| {
        fields.report[0] ^= 1;
        fields.info = info;
    });
    assert_eq!(echoed, Some(AesmError::InvalidReport));
}

#[test]
fn selection_gives_back_the_callers_own_entry() {
    let service = Service::ordinary();
    let mut own = key_id();
    own.spid = [9; 16];
    let mut other = key_id();
    other.algorithm_id = 3.into();
    let list = |count: u32, ids: &[AttestationKeyId]| {
        [&[0, 0, 0, 0][..], &count.to_le_bytes(), ids.as_bytes()].concat()
    };
    let select =
        |list: Option<&[u8]>| call(&service, &Request::SelectAttKeyId { att_key_id_list: list });
    let selected = |id: AttestationKeyId| {
        let selected_att_key_id = Some(id.as_bytes().to_vec());
        Response { error: None, payload: Payload::SelectAttKeyId { selected_att_key_id } }
    };
    let failed = |error| {
        let payload = Payload::SelectAttKeyId { selected_att_key_id: None };
        Response { error: Some(error), payload }
    };
    assert_eq!(select(None), selected(key_id()));
    assert_eq!(select(Some(&list(1, &[own]))), selected(own));
    assert_eq!(select(Some(&list(2, &[other, own]))), selected(own));
    assert_eq!(select(Some(&list(10, &[own; 10]))), selected(own));
    assert_eq!(select(Some(&list(0, &[]))), failed(AesmError::UnsupportedAttKeyId));
    assert_eq!(select(Some(&list(1, &[other]))), failed(AesmError::UnsupportedAttKeyId));
    let mut with_version = list(1, &[own]);
    with_version[2] = 1;
    let mut with_id = list(1, &[own]);
    with_id[0] = 1;
    let wrong = [
        vec![],
        vec![0; 7],
        list(2, &[own]),
        list(1, &[own; 2]),
        list(11, &[own; 11]),
        list(u32::MAX, &[own]),
        [list(1, &[own]), vec![0]].concat(),
        with_version,
        with_id,
    ];
    for wrong in wrong {
        assert_eq!(select(Some(&wrong)), failed(AesmError::Parameter), "{} bytes", wrong.len());
    }
}

#[test]
fn epid_and_launch_control_are_closed_without_a_reply() {
    let service = Service::ordinary();
    for field in [1, 2, 3, 4, 10, 11, 12, 13, 14, 18, 20, 23] {
        let key = ((field as u32) << 3) | 2;
        let mut message = vec![];
        if key > 127 {
            message.extend([key as u8 | 0x80, (key >> 7) as u8]);
        } else {
            message.push(key as u8);
        }
        message.push(0);
        let reply = service.raw(&framed(&message));
        // A field that is required is missing from some of these, but no reply would be right.
        assert!(reply.is_empty(), "field {field}: {reply:?}");
    }
}

#[test]
fn invalid_requests_are_closed_without_a_reply() {
    let service = Service::ordinary();
    let hostile: [&[u8]; 9] = [
        &[],
        &[1],
        &[1, 0, 0],
        &[0, 0, 0, 0],
        &[0, 0, 0, 0x80],
        &[0xff, 0xff, 0xff, 0xff],
        &[1, 0x20, 0, 0],
        &[4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for bytes in hostile {
        assert!(service.raw(bytes).is_empty(), "{bytes:?}");
    }
    assert_eq!(quote_error(&service, |_| {}), None);
}

#[test]
fn a_damaged_request_is_answered_with_error_1_of_its_own_type() {
    let service = Service::ordinary();
    let cases = [
        ("7a00", "7a0408011800"),
        ("820105", "820104 08011000"),
        ("8a0100", "8a01020801"),
        ("9a0105", "9a01020801"),
        ("aa01ff", "aa010408011000"),
        ("b20100", "b201020801"),
    ];
    for (request, reply) in cases {
        let answer = service.ask(&hex::decode(request).unwrap());
        assert_eq!(hex::encode(answer), reply.replace(' ', ""), "{request}");
    }
}

/// A request of this type with `size` bytes in its first field, and a second request after it.
fn oversized_request(number: u32, size: u32) -> Vec<u8> {
    let varint = |value: u32| {
        let septet = |shift: u32| ((value >> shift) & 0x7f) as u8 | 0x80;
        [septet(0), septet(7), septet(14), septet(21), (value >> 28) as u8]
    };
    let field = [&[0x0a], varint(size).as_slice(), &vec![7; size as usize]].concat();
    let key = varint(number << 3 | 2);
    let message = [key.as_slice(), &varint(field.len() as u32), &field].concat();
    let next = Request::GetSupportedAttKeyIdNum.to_frame(None);
    [framed(&message), next].concat()
}

#[test]
fn an_oversized_request_is_read_to_its_end_and_answered_with_error_3_of_its_own_type() {
    let service = Service::ordinary();
    let next = "07000000aa010408001001";
    let cases = [
        (15, 8_192, "060000007a0408031800"),
        (16, 20_000, "07000000820104 08031000"),
        (17, 300_000, "050000008a01020803"),
        (19, 1_000_000, "050000009a01020803"),
    ];
    for (number, size, reply) in cases {
        let answer = service.raw(&oversized_request(number, size));
        assert_eq!(hex::encode(answer), [reply, next].concat().replace(' ', ""), "{number}");
    }
    // Read to its end, for the client has not closed its side; no reply has a form for it.
    for number in [1, 500] {
        let mut stream = service.connect();
        stream.write_all(&oversized_request(number, 300_000)).unwrap();
        assert!(read_all(&mut stream).is_empty(), "{number}");
    }
}

#[test]
fn a_request_of_more_than_a_mebibyte_is_closed_unread() {
    let service = Service::ordinary();
    let mut stream = service.connect();
    stream.write_all(&(1024 * 1024 + 1_u32).to_le_bytes()).unwrap();
    assert!(read_all(&mut stream).is_empty());
}

#[test]
fn of_several_requests_in_one_message_the_first_by_number_is_answered() {
    let service = Service::ordinary();
    let answer = service.ask(&hex::decode("b20100aa0100").unwrap());
    assert_eq!(hex::encode(answer), "aa010408001001");
}

#[test]
fn a_connection_serves_as_many_requests_as_the_client_sends() {
    let service = Service::ordinary();
    let request = framed(&hex::decode("aa0100").unwrap());
    let reply = framed(&hex::decode("aa010408001001").unwrap());
    assert_eq!(service.raw(&request.repeat(50)), reply.repeat(50));
}
