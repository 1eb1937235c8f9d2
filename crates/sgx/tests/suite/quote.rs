//! A quote survives parsing and serializing; every other length of it is an error.

use sgx::{
    CertificationData, CertificationDataType, FromBytes, Quote, QuoteBody, QuoteHeader,
    QuoteParseError, QuoteSignature, ReportBody, TdReport10, TdReport15, TdReport15Ex, U16, U32,
};

fn quote() -> Quote {
    quote_of(3, QuoteHeader::SGX, enclave())
}

fn enclave() -> QuoteBody {
    ReportBody::read_from_bytes(&[8; 384]).unwrap().into()
}

fn td_10() -> QuoteBody {
    QuoteBody::Td10(Box::new(TdReport10::read_from_bytes(&[8; 584]).unwrap()))
}

fn td_15() -> QuoteBody {
    QuoteBody::Td15(Box::new(TdReport15::read_from_bytes(&[8; 648]).unwrap()))
}

fn td_15_ex() -> QuoteBody {
    QuoteBody::Td15Ex(Box::new(TdReport15Ex::read_from_bytes(&[8; 885]).unwrap()))
}

/// A quote of each version and kind, and the size of what is signed of it.
fn all() -> [(Quote, usize); 7] {
    let (sgx, tdx) = (QuoteHeader::SGX, QuoteHeader::TDX);
    [
        (quote(), 432),
        (quote_of(4, sgx, enclave()), 432),
        (quote_of(4, tdx, td_10()), 632),
        (quote_of(5, sgx, enclave()), 438),
        (quote_of(5, tdx, td_10()), 638),
        (quote_of(5, tdx, td_15()), 702),
        (quote_of(5, tdx, td_15_ex()), 939),
    ]
}

fn quote_of(version: u16, tee_type: u32, body: QuoteBody) -> Quote {
    let mut header = QuoteHeader::read_from_bytes(&[9; 48]).unwrap();
    header.version = U16::new(version);
    header.attestation_key_type = U16::new(2);
    header.tee_type = U32::new(tee_type);
    Quote {
        header,
        body,
        signature: QuoteSignature {
            signature: [1; 64],
            attestation_public_key: [2; 64],
            qe_report: ReportBody::read_from_bytes(&[3; 384]).unwrap(),
            qe_report_signature: [4; 64],
            authentication_data: vec![5; 32],
            certification_data: CertificationData {
                data_type: CertificationDataType::PPID_RSA3072_ENCRYPTED,
                data: vec![6; 404],
            },
        },
    }
}

#[test]
fn its_parts_are_at_their_offsets() {
    let bytes = quote().to_bytes();
    assert_eq!(bytes.len(), 436 + 64 + 64 + 384 + 64 + 2 + 32 + 2 + 4 + 404);
    assert_eq!(bytes[48..432], [8; 384]);
    assert_eq!(bytes[432..436], (bytes.len() as u32 - 436).to_le_bytes());
    assert_eq!(bytes[436..500], [1; 64]);
    assert_eq!(bytes[500..564], [2; 64]);
    assert_eq!(bytes[564..948], [3; 384]);
    assert_eq!(bytes[948..1012], [4; 64]);
    assert_eq!(bytes[1012..1014], [32, 0]);
    assert_eq!(bytes[1046..1052], [3, 0, 0x94, 1, 0, 0]);
    assert_eq!(Quote::parse(&bytes).unwrap(), quote());
}

#[test]
fn version_4_wraps_what_certifies_the_attestation_key() {
    let quote = quote_of(4, QuoteHeader::TDX, td_10());
    let bytes = quote.to_bytes();
    let certified = 384 + 64 + 2 + 32 + 2 + 4 + 404;
    assert_eq!(bytes.len(), 636 + 64 + 64 + 2 + 4 + certified);
    assert_eq!(bytes[48..632], [8; 584]);
    assert_eq!(bytes[632..636], (bytes.len() as u32 - 636).to_le_bytes());
    assert_eq!(bytes[764..766], [6, 0]);
    assert_eq!(bytes[766..770], (certified as u32).to_le_bytes());
    assert_eq!(bytes[770..1154], [3; 384]);
}

#[test]
fn version_5_names_type_and_size_of_its_body() {
    let bodies = [(QuoteHeader::SGX, enclave()), (QuoteHeader::TDX, td_10())];
    let more = [(QuoteHeader::TDX, td_15()), (QuoteHeader::TDX, td_15_ex())];
    for ((tee_type, body), (body_type, size)) in
        bodies.into_iter().chain(more).zip([(1, 384), (2, 584), (3, 648), (4, 885)])
    {
        let bytes = quote_of(5, tee_type, body).to_bytes();
        let [low, high] = u16::to_le_bytes(size);
        assert_eq!(bytes[48..54], [body_type, 0, low, high, 0, 0]);
        for (offset, value) in [(48, 9), (50, bytes[50] ^ 1), (4, bytes[4] ^ 0x81)] {
            let mut changed = bytes.clone();
            changed[offset] = value;
            let error = Quote::parse(&changed).unwrap_err();
            assert!(matches!(error, QuoteParseError::Body { .. }), "{error}");
        }
    }
}

#[test]
fn every_version_is_read_as_it_was_written() {
    for (quote, signed) in all() {
        let bytes = quote.to_bytes();
        assert_eq!(Quote::parse(&bytes).as_ref(), Ok(&quote));
        assert_eq!(quote.signed_bytes(), bytes[..signed]);
    }
}

#[test]
fn other_versions_and_kinds_are_refused_by_name() {
    let refused = |offset: usize, value: u8, quote: Quote| {
        let mut bytes = quote.to_bytes();
        bytes[offset] = value;
        Quote::parse(&bytes).unwrap_err().to_string()
    };
    assert!(refused(0, 2, quote()).contains("EPID"), "{}", refused(0, 2, quote()));
    let text = Quote::parse(&[b"03000200", &[b'0'; 92][..]].concat()).unwrap_err().to_string();
    assert!(text.contains("unknown version 0x3330"), "{text}");
    assert!(refused(2, 3, quote()).contains("attestation key type 3"));
    let td = || quote_of(4, QuoteHeader::TDX, td_10());
    assert!(refused(4, 0x82, td()).contains("TEE type 0x82"));
    assert!(refused(764, 5, td()).contains("certification data is of type 5"));
}

#[test]
fn every_shorter_and_every_longer_one_is_an_error() {
    for (quote, _) in all() {
        let bytes = quote.to_bytes();
        for length in 0..bytes.len() {
            let error = Quote::parse(&bytes[..length]).unwrap_err();
            assert!(matches!(error, QuoteParseError::Truncated { .. }), "{length}: {error}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Quote::parse(&longer), Err(QuoteParseError::Oversized(1, "quote")));
    }
}

#[test]
fn changed_quotes_are_written_as_they_were_read() {
    for (quote, _) in all() {
        let bytes = quote.to_bytes();
        for offset in 0..bytes.len() {
            for value in [0, 6, 0xff] {
                let mut changed = bytes.clone();
                changed[offset] = value;
                if let Ok(read) = Quote::parse(&changed) {
                    assert_eq!(read.to_bytes(), changed);
                    assert!(!read.to_string().is_empty());
                }
            }
        }
    }
}

#[test]
fn zeros_after_it_are_padding_and_nothing_else_is() {
    let bytes = quote().to_bytes();
    let padded = [&bytes[..], &[0; 1000]].concat();
    assert_eq!(Quote::parse_padded(&padded), Ok(quote()));
    assert_eq!(Quote::parse_padded(&bytes), Ok(quote()));
    let other = [&padded[..], &[1]].concat();
    assert_eq!(Quote::parse_padded(&other), Err(QuoteParseError::Oversized(1001, "quote")));
}

#[test]
fn a_length_within_that_is_wrong_is_an_error() {
    let bytes = quote().to_bytes();
    for (offset, change) in [(432, 1), (1012, 1), (1012, 31), (1048, 1), (1048, 0xff)] {
        let mut bytes = bytes.clone();
        bytes[offset] = bytes[offset].wrapping_add(change);
        assert!(Quote::parse(&bytes).is_err(), "{change} more at {offset}");
    }
}

#[test]
fn it_is_described_for_people() {
    let text = quote().to_string();
    for part in ["header", "application enclave report", "signature data", "QE report", "3 (PPID"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
