//! Trusted roots as PEM and DER, and what is none.

use verify::{RootError, TrustedRoots};

use crate::common::sample;

#[test]
fn pem_and_der_give_the_same_root() {
    let der = TrustedRoots::intel().iter().next().unwrap().der().to_vec();
    let pem = pem::encode(&pem::Pem::new("CERTIFICATE", der.clone()));
    assert_eq!(TrustedRoots::parse(&der).unwrap(), TrustedRoots::intel());
    assert_eq!(TrustedRoots::parse(pem.as_bytes()).unwrap(), TrustedRoots::intel());
    assert_eq!(TrustedRoots::default(), TrustedRoots::intel());
    let twice = TrustedRoots::parse((pem.clone() + &pem).as_bytes()).unwrap();
    assert_eq!(twice.iter().count(), 2);
}

#[test]
fn files_that_are_no_root_are_refused_with_a_reason() {
    let der = TrustedRoots::intel().iter().next().unwrap().der().to_vec();
    let key = pem::encode(&pem::Pem::new("PUBLIC KEY", der.clone()));
    for nothing in [&b""[..], b"no certificate", &[0xff; 100], key.as_bytes()] {
        assert_eq!(TrustedRoots::parse(nothing), Err(RootError::NoCertificate));
    }
    for length in 1..der.len() {
        let cut = TrustedRoots::parse(&der[..length]);
        assert!(matches!(cut, Err(RootError::Unreadable)), "{length} bytes: {cut:?}");
    }
    let issued = TrustedRoots::parse(sample().collateral.tcb_info_issuer_chain.as_bytes());
    assert!(matches!(issued, Err(RootError::NotSelfIssued(_))), "{issued:?}");
}
