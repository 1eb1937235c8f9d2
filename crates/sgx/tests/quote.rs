//! A quote survives parsing and serializing; every other length of it is an error.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use sgx::{
    CertificationData, CertificationDataType, FromBytes, Quote, QuoteHeader, QuoteParseError,
    QuoteSignature, ReportBody, U16,
};

fn quote() -> Quote {
    let mut header = QuoteHeader::read_from_bytes(&[9; 48]).unwrap();
    header.version = U16::new(3);
    header.attestation_key_type = U16::new(2);
    Quote {
        header,
        report_body: ReportBody::read_from_bytes(&[8; 384]).unwrap(),
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
fn every_shorter_and_every_longer_one_is_an_error() {
    let bytes = quote().to_bytes();
    for length in 0..bytes.len() {
        let error = Quote::parse(&bytes[..length]).unwrap_err();
        assert!(matches!(error, QuoteParseError::Truncated { .. }), "{length}: {error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Quote::parse(&longer), Err(QuoteParseError::Oversized(1, "quote")));
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
