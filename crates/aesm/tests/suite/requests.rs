//! Requests as other clients send them, and damaged ones.

use aesm::{Operation, Request, RequestError};

fn recorded(lines: &str) -> Vec<Operation> {
    let bytes = lines.lines().map(|line| hex::decode(line).unwrap());
    bytes
        .map(|bytes| match Request::decode(&bytes) {
            Ok(request) => request.operation(),
            Err(RequestError::Unsupported(operation)) => operation,
            Err(error) => panic!("{error}"),
        })
        .collect()
}

#[test]
fn the_requests_of_unmodified_clients_are_read() {
    use Operation::{
        GetQuoteEx, GetQuoteSizeEx, GetSupportedAttKeyIdNum, GetSupportedAttKeyIds, InitQuoteEx,
        SelectAttKeyId,
    };
    assert_eq!(
        recorded(include_str!("../vectors/intel-libsgx_quote_ex.requests.hex")),
        [
            GetSupportedAttKeyIdNum,
            GetSupportedAttKeyIds,
            GetSupportedAttKeyIds,
            SelectAttKeyId,
            InitQuoteEx,
            InitQuoteEx,
            GetQuoteSizeEx,
            GetQuoteEx
        ]
    );
    assert_eq!(
        recorded(include_str!("../vectors/intel-libsgx_dcap_ql.requests.hex")),
        [InitQuoteEx, InitQuoteEx, GetQuoteSizeEx, GetQuoteEx]
    );
    assert_eq!(
        recorded(include_str!("../vectors/gramine.requests.hex")),
        [InitQuoteEx, GetQuoteEx]
    );
    assert_eq!(
        recorded(include_str!("../vectors/fortanix-aesm-client.requests.hex"))[..2],
        [GetSupportedAttKeyIdNum, GetSupportedAttKeyIds]
    );
}

#[test]
fn an_unrecognized_request_has_no_reply() {
    let unrecognized = [
        "",                         // nothing
        "00",                       // field number 0
        "ff",                       // a key that ends in the middle
        "ba0100",                   // field 23
        "a20100",                   // field 20, which only replies have
        "a80100",                   // field 21, but an integer
        "07aa0100",                 // wire type 7, before a request
        "ffffffffffffffffffffff01", // a key of more than 64 bits
    ];
    for message in unrecognized {
        let bytes = hex::decode(message).unwrap();
        assert_eq!(Request::decode(&bytes), Err(RequestError::Unrecognized), "{message}");
    }
}

#[test]
fn a_damaged_request_of_a_known_operation_is_malformed() {
    let malformed = [
        ("7a00", Operation::InitQuoteEx),              // no b_pub_key_id
        ("7a0318", Operation::InitQuoteEx),            // cut short
        ("820105", Operation::GetQuoteSizeEx),         // nothing required, but cut short
        ("8201020aff", Operation::GetQuoteSizeEx),     // cut short within
        ("8a010720010a020102", Operation::GetQuoteEx), // one byte longer than it says
        ("8a01020a00", Operation::GetQuoteEx),         // no buf_size
        ("8a01022001", Operation::GetQuoteEx),         // no report
        ("aa010300ba01", Operation::GetSupportedAttKeyIdNum), // field number 0 within
        ("aa01ff", Operation::GetSupportedAttKeyIdNum), // the length itself is cut short
        ("b20100", Operation::GetSupportedAttKeyIds),  // no buf_size
        ("b201020a00", Operation::GetSupportedAttKeyIds), // buf_size is a byte string
    ];
    for (message, operation) in malformed {
        let bytes = hex::decode(message).unwrap();
        let error = Err(RequestError::Malformed(operation));
        assert_eq!(Request::decode(&bytes), error, "{message}");
    }
}

#[test]
fn unknown_fields_of_a_request_are_skipped() {
    let served = [
        "aa0100",                       // as it should be
        "aa0100ff",                     // a damaged field after it
        "ba0100aa0100",                 // an unknown field before it
        "090000000000000000aa0100",     // a field of eight bytes before it
        "aa010b78057a01008d0101020304", // unknown fields of every type within
    ];
    for message in served {
        let bytes = hex::decode(message).unwrap();
        assert_eq!(Request::decode(&bytes), Ok(Request::GetSupportedAttKeyIdNum), "{message}");
    }
}

#[test]
fn of_several_requests_the_first_by_number_counts() {
    let all = "b201020801aa01009a010082010 07a021801".replace(' ', "");
    let bytes = hex::decode(all).unwrap();
    let operation = |bytes: &[u8]| Request::decode(bytes).unwrap().operation();
    assert_eq!(operation(&bytes), Operation::InitQuoteEx);
    assert_eq!(operation(&bytes[..bytes.len() - 4]), Operation::GetQuoteSizeEx);
    assert_eq!(operation(&bytes[..bytes.len() - 7]), Operation::SelectAttKeyId);
    assert_eq!(operation(&bytes[..8]), Operation::GetSupportedAttKeyIdNum);
    assert_eq!(operation(&bytes[..5]), Operation::GetSupportedAttKeyIds);
}

#[test]
fn of_several_values_the_last_counts() {
    let bytes = hex::decode("b201040801080 2".replace(' ', "")).unwrap();
    assert_eq!(Request::decode(&bytes), Ok(Request::GetSupportedAttKeyIds { buf_size: 2 }));
}

#[test]
fn integers_are_cut_to_their_size() {
    let bytes = hex::decode("b2010608818080801 0".replace(' ', "")).unwrap();
    assert_eq!(Request::decode(&bytes), Ok(Request::GetSupportedAttKeyIds { buf_size: 1 }));
}
