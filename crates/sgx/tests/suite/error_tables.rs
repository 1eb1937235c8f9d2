//! The three tables between error numbers, against what Intel's libraries and daemon do, number by
//! number.

use sgx::{AesmError, Quote3Error, QuoteExCall, SgxStatus};

const CALLS: [QuoteExCall; 5] = [
    QuoteExCall::KeyIds,
    QuoteExCall::Select,
    QuoteExCall::Init,
    QuoteExCall::Size,
    QuoteExCall::Quote,
];

/// AESM error to the `sgx_status_t` of each of [`CALLS`] in libsgx_quote_ex. 0x1 where not listed.
#[rustfmt::skip]
const STATUS_OF_AESM: &[(u32, [u32; 5])] = &[
    ( 2, [0x2006, 0x2006, 0x2006, 0x2006, 0x2006]),
    ( 3, [0x0002, 0x0002, 0x0002, 0x0002, 0x0002]),
    ( 4, [0x0001, 0x0001, 0x4003, 0x0001, 0x4003]),
    ( 5, [0x0001, 0x0001, 0x4005, 0x0001, 0x4005]),
    (12, [0x4007, 0x4007, 0x4007, 0x4007, 0x4007]),
    (13, [0x4007, 0x4007, 0x4007, 0x4007, 0x4007]),
    (14, [0x4007, 0x4007, 0x4007, 0x4007, 0x4007]),
    (17, [0x4001, 0x4001, 0x4001, 0x4001, 0x4001]),
    (18, [0x400a, 0x400a, 0x400a, 0x400a, 0x400a]),
    (19, [0x0001, 0x0001, 0x400a, 0x0001, 0x400a]),
    (20, [0x4006, 0x4006, 0x4006, 0x4006, 0x4006]),
    (21, [0x0003, 0x0003, 0x0003, 0x0003, 0x0003]),
    (29, [0x0001, 0x0001, 0x2005, 0x0001, 0x2005]),
    (30, [0x4001, 0x4001, 0x4001, 0x4001, 0x4001]),
    (31, [0x4012, 0x4012, 0x4012, 0x4012, 0x4012]),
    (38, [0x0001, 0x8001, 0x8001, 0x8001, 0x8001]),
    (42, [0x0001, 0x0001, 0x0001, 0x8003, 0x8003]),
    (44, [0x0001, 0x0001, 0x8005, 0x0001, 0x0001]),
    (45, [0x0001, 0x0001, 0x0001, 0x0001, 0x3001]),
    (46, [0x4001, 0x4001, 0x4001, 0x4001, 0x4001]),
    (47, [0x0001, 0x0001, 0x0001, 0x0001, 0x3001]),
    (48, [0x4001, 0x4001, 0x4001, 0x4001, 0x4001]),
    (50, [0x0001, 0x0001, 0x8002, 0x0001, 0x0001]),
];

/// `sgx_status_t` to `quote3_error_t` in libsgx_dcap_ql. 0xe001 where not listed.
const QUOTE3_OF_STATUS: &[(u32, u32)] = &[
    (0x0000, 0),
    (0x0002, 0xe002),
    (0x0003, 0xe003),
    (0x2006, 0xe03f),
    (0x4001, 0xe040),
    (0x4002, 0xe042),
    (0x4007, 0xe041),
    (0x400a, 0xe043),
    (0x8001, 0xe00b),
    (0x8002, 0xe010),
    (0x8003, 0xe00f),
    (0x8005, 0xe011),
];

/// `quote3_error_t` to AESM error in the daemon. 1 where not listed.
const AESM_OF_QUOTE3: &[(u32, u32)] = &[
    (0xe002, 3),
    (0xe003, 21),
    (0xe004, 32),
    (0xe005, 33),
    (0xe006, 15),
    (0xe007, 34),
    (0xe008, 35),
    (0xe009, 36),
    (0xe00a, 37),
    (0xe00b, 38),
    (0xe00c, 39),
    (0xe00d, 40),
    (0xe00e, 41),
    (0xe00f, 42),
    (0xe010, 43),
    (0xe011, 44),
    (0xe012, 29),
    (0xe013, 45),
    (0xe014, 46),
    (0xe015, 47),
    (0xe016, 48),
    (0xe017, 49),
    (0xe018, 50),
    (0xe019, 12),
    (0xe01a, 22),
];

fn listed<T: Copy>(table: &[(u32, T)], number: u32) -> Option<T> {
    table.iter().find(|(listed, _)| *listed == number).map(|(_, value)| *value)
}

#[test]
fn aesm_errors_become_statuses() {
    assert_eq!(AesmError::from_number(0), None);
    for number in 1..=60 {
        let error = AesmError::from_number(number).unwrap();
        let statuses = CALLS.map(|call| SgxStatus::of_aesm(error, call).0);
        let expected = listed(STATUS_OF_AESM, number).unwrap_or([1; 5]);
        assert_eq!(statuses, expected, "AESM error {number}, in {CALLS:?}");
    }
}

#[test]
fn statuses_become_quote3_errors() {
    for number in 0..=0xffff {
        let error = Quote3Error::of_status(SgxStatus(number));
        let expected = listed(QUOTE3_OF_STATUS, number).unwrap_or(0xe001);
        assert_eq!(error, Quote3Error(expected), "sgx_status_t {number:#x}");
    }
}

#[test]
fn quote3_errors_become_aesm_errors() {
    for number in (1..=0xffff).chain([u32::MAX]) {
        let error = Quote3Error(number).aesm();
        let expected = listed(AESM_OF_QUOTE3, number).unwrap_or(1);
        assert_eq!(error.number(), expected, "quote3_error_t {number:#x}");
    }
}

/// In-process quoting has an AESM error in hand where the caller wants a `quote3_error_t`.
#[test]
fn aesm_errors_become_the_quote3_errors_they_came_from() {
    for &(quote3, aesm) in AESM_OF_QUOTE3 {
        let error = AesmError::from_number(aesm).unwrap();
        assert_eq!(Quote3Error::of_aesm(error), Quote3Error(quote3), "AESM error {aesm}");
    }
    for (aesm, quote3) in [(1, 0xe001), (2, 0xe03f), (18, 0xe043), (30, 0xe040), (60, 0xe001)] {
        let error = AesmError::from_number(aesm).unwrap();
        assert_eq!(Quote3Error::of_aesm(error), Quote3Error(quote3), "AESM error {aesm}");
    }
}
