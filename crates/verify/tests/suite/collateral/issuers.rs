//! Issuers and their roles.

use rcgen::KeyUsagePurpose;
use verify::{CollateralError, TrustedRoots};

use crate::collateral::pieces::{
    Check, ENCLAVE_IDENTITY, PCK_CERTIFICATE, PCK_CRL, Piece, ROOT_CA_CRL, TCB_INFO, answer, date,
    intels, pck_of_quote,
};
use crate::common::platform::{Authority, chain};
use crate::common::{SAMPLE_TIME, at, sample};

#[test]
fn a_chain_in_another_form_is_refused() {
    let stranger = Authority::root().certificate.pem();
    for piece in intels().into_iter().filter(|piece| !piece.issuer_chain.is_empty()) {
        let split = piece.issuer_chain.rfind("-----BEGIN").unwrap();
        let (issuer, root) = piece.issuer_chain.split_at(split);
        let garbled = issuer.replace("CERTIFICATE", "X509 CRL");
        for form in [
            String::new(),
            [root, issuer].concat(),
            [issuer, root, stranger.as_str()].concat(),
            [issuer, stranger.as_str(), root].concat(),
            [issuer, stranger.as_str()].concat(),
            [stranger.as_str(), root].concat(),
            [issuer, issuer, root].concat(),
            [root, root].concat(),
            issuer.to_owned(),
            root.to_owned(),
            [garbled.as_str(), root].concat(),
            [issuer, "Set-Cookie: a=b\n", root].concat(),
        ] {
            let name = piece.name;
            let checked = Piece { issuer_chain: form.clone(), ..piece.clone() }.check();
            assert!(checked.is_err(), "{name}: {form}");
        }
        let issuer_chain = piece.issuer_chain.replace('\n', "\r\n");
        assert!(Piece { issuer_chain, ..piece }.check().is_ok(), "line ends do not matter");
    }
}

#[test]
fn a_root_that_is_not_trusted_is_named() {
    let roots = TrustedRoots::parse(Authority::root().certificate.pem().as_bytes()).unwrap();
    for piece in intels() {
        let error = Piece { roots: roots.clone(), ..piece.clone() }.check().unwrap_err();
        match error {
            CollateralError::UntrustedRoot { root, .. } => {
                assert!(root.starts_with("C=US,") && root.contains("SHA-256 44a0196b"), "{root}");
            }
            CollateralError::WronglySigned { .. } => assert_eq!(piece.name, "root CRL"),
            other => panic!("{}: {other}", piece.name),
        }
    }
}

#[test]
fn one_of_several_roots_is_enough() {
    let pem = |der: &[u8]| pem::encode(&pem::Pem::new("CERTIFICATE", der));
    let intels_root = pem(TrustedRoots::intel().iter().next().unwrap().der());
    let both = Authority::root().certificate.pem() + &intels_root;
    let roots = TrustedRoots::parse(both.as_bytes()).unwrap();
    for piece in intels() {
        assert!(Piece { roots: roots.clone(), ..piece }.check().is_ok());
    }
}

#[test]
fn the_chain_of_another_kind_of_issuer_is_refused() {
    let pieces = intels();
    for piece in &pieces {
        for other in pieces.iter().filter(|other| !other.issuer_chain.is_empty()) {
            let same = other.issuer_chain == piece.issuer_chain || piece.issuer_chain.is_empty();
            let mistaken = Piece { issuer_chain: other.issuer_chain.clone(), ..piece.clone() };
            let checked = mistaken.check_at(piece.now);
            assert_eq!(checked.is_ok(), same, "{} by the issuer of {}", piece.name, other.name);
        }
    }
}

/// A PKI of our own, in which everybody but the right one may have signed.
struct Pki {
    root: Authority,
    platform_ca: Authority,
    processor_ca: Authority,
    tcb_signing: Authority,
}

impl Pki {
    fn new() -> Self {
        let root = Authority::root();
        Self {
            platform_ca: Authority::under(&root, "Test SGX PCK Platform CA", 2),
            processor_ca: Authority::under(&root, "Test SGX PCK Processor CA", 5),
            tcb_signing: Authority::leaf(&root, "Test SGX TCB Signing", 3, None),
            root,
        }
    }

    #[track_caller]
    fn is_ok(&self, check: Check, body: &[u8], issuer_chain: &str) -> bool {
        let roots = TrustedRoots::parse(self.root.certificate.pem().as_bytes()).unwrap();
        let checked = check(body, issuer_chain, &roots, at(SAMPLE_TIME));
        let at_fault = matches!(
            checked,
            Ok(_) | Err(CollateralError::WronglySigned { .. } | CollateralError::Unreadable { .. })
        );
        assert!(at_fault, "{checked:?}");
        checked.is_ok()
    }

    fn chain(&self, issuer: &Authority) -> String {
        chain([issuer, &self.root])
    }
}

#[test]
fn signed_json_is_the_tcb_signers_alone() {
    let pki = Pki::new();
    let sample = sample().collateral;
    let by_pck_ca = Authority::leaf(&pki.platform_ca, "Test SGX TCB Signing", 6, None);
    let misnamed = Authority::leaf(&pki.root, "Test SGX QVE Signing", 7, None);
    for (check, member, json) in [
        (TCB_INFO, "tcbInfo", &sample.tcb_info),
        (ENCLAVE_IDENTITY, "enclaveIdentity", &sample.qe_identity),
    ] {
        let signed_by = |signer: &Authority| answer(member, json, &signer.sign(json.as_bytes()));
        assert!(pki.is_ok(check, &signed_by(&pki.tcb_signing), &pki.chain(&pki.tcb_signing)));
        for wrong in [&pki.root, &pki.platform_ca, &by_pck_ca, &misnamed] {
            assert!(!pki.is_ok(check, &signed_by(wrong), &pki.chain(wrong)));
            assert!(!pki.is_ok(check, &signed_by(wrong), &pki.chain(&pki.tcb_signing)));
        }
        let below_ca = chain([&by_pck_ca, &pki.platform_ca, &pki.root]);
        assert!(!pki.is_ok(check, &signed_by(&by_pck_ca), &below_ca));
        // Whoever signs is a root of its own, with the names of the trusted one.
        let other = Pki::new();
        let signed = signed_by(&other.tcb_signing);
        assert!(!pki.is_ok(check, &signed, &chain([&other.tcb_signing, &pki.root])));
    }
}

#[test]
fn a_crl_is_its_own_cas_alone() {
    let pki = Pki::new();
    let under_platform = Authority::under(&pki.platform_ca, "Test SGX PCK Processor CA", 8);
    for ca in [&pki.platform_ca, &pki.processor_ca] {
        assert!(pki.is_ok(PCK_CRL, &ca.crl(Some(4)), &pki.chain(ca)));
        for wrong in [&pki.platform_ca, &pki.processor_ca, &pki.root, &under_platform] {
            let same = std::ptr::eq(ca, wrong);
            assert_eq!(pki.is_ok(PCK_CRL, &wrong.crl(None), &pki.chain(ca)), same);
        }
    }
    let usage = KeyUsagePurpose::KeyCertSign;
    let not_for_crls = Authority::ca_for(&pki.root, "Test SGX PCK Platform CA", usage);
    for wrong in [&pki.root, &pki.tcb_signing, &under_platform, &not_for_crls] {
        assert!(!pki.is_ok(PCK_CRL, &wrong.crl(None), &pki.chain(wrong)));
    }
    assert!(pki.is_ok(ROOT_CA_CRL, &pki.root.crl(Some(2)), ""));
    for wrong in [&pki.platform_ca, &pki.tcb_signing, &Authority::root()] {
        assert!(!pki.is_ok(ROOT_CA_CRL, &wrong.crl(None), ""));
    }
}

#[test]
fn a_crl_in_the_name_of_another_is_refused() {
    let pki = Pki::new();
    let renamed = |name: &str, key: &Authority| key.under_another_name(name).crl(None);
    let chain = pki.chain(&pki.platform_ca);
    assert!(pki.is_ok(PCK_CRL, &renamed("Test SGX PCK Platform CA", &pki.platform_ca), &chain));
    assert!(!pki.is_ok(PCK_CRL, &renamed("Test SGX PCK Processor CA", &pki.platform_ca), &chain));
    assert!(!pki.is_ok(ROOT_CA_CRL, &renamed("Test SGX Toor CA", &pki.root), ""));
}

#[test]
fn a_root_that_revokes_itself_is_revoked() {
    let root = Authority::root();
    let roots = TrustedRoots::parse(root.certificate.pem().as_bytes()).unwrap();
    let error = ROOT_CA_CRL(&root.crl(Some(1)), "", &roots, at(SAMPLE_TIME)).unwrap_err();
    assert!(matches!(error, CollateralError::Revoked { .. }), "{error}");
}

#[test]
fn a_pck_certificate_is_a_pck_cas_alone() {
    let pki = Pki::new();
    let extension = || Some(sgx_extension());
    let pck = |issuer: &Authority| {
        Authority::leaf(issuer, "Test SGX PCK Certificate", 4, extension()).certificate.pem()
    };
    let is_ok =
        |body: &str, ca: &Authority| pki.is_ok(PCK_CERTIFICATE, body.as_bytes(), &pki.chain(ca));
    assert!(is_ok(&pck(&pki.platform_ca), &pki.platform_ca));
    assert!(is_ok(&pck(&pki.processor_ca), &pki.processor_ca));
    assert!(!is_ok(&pck(&pki.platform_ca), &pki.processor_ca));
    assert!(!is_ok(&pck(&pki.root), &pki.platform_ca));
    let renamed = pki.platform_ca.under_another_name("Test SGX PCK Processor CA");
    assert!(!is_ok(&pck(&renamed), &pki.platform_ca), "the same key under another name");
    assert!(!is_ok(&pck(&pki.tcb_signing), &pki.tcb_signing));
    assert!(!is_ok(&pck(&Pki::new().platform_ca), &pki.platform_ca));
    let misnamed = Authority::under(&pki.root, "Test SGX PCK Certificate Authority", 9);
    assert!(!is_ok(&pck(&misnamed), &misnamed));
    let name = "Test SGX PCK Platform CA";
    let for_crls = Authority::ca_for(&pki.root, name, KeyUsagePurpose::CrlSign);
    for wrong in [Authority::no_ca(&pki.root, name), for_crls] {
        assert!(!is_ok(&pck(&wrong), &wrong));
    }
    let without = Authority::leaf(&pki.platform_ca, "Test SGX PCK Certificate", 11, None);
    assert!(!is_ok(&without.certificate.pem(), &pki.platform_ca));
    let two = pck(&pki.platform_ca) + &pki.platform_ca.certificate.pem();
    assert!(!is_ok(&two, &pki.platform_ca));
}

#[test]
fn an_sgx_extension_with_a_missing_or_misformed_value_is_refused() {
    let pki = Pki::new();
    let is_ok = |extension| {
        let name = "Test SGX PCK Certificate";
        let pck = Authority::leaf(&pki.platform_ca, name, 4, Some(extension)).certificate.pem();
        pki.is_ok(PCK_CERTIFICATE, pck.as_bytes(), &pki.chain(&pki.platform_ca))
    };
    let whole = sgx_extension();
    assert!(is_ok(whole.clone()));
    let oid = |path: &[u8]| [&[0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 1, 13, 1], path].concat();
    for path in [&[1][..], &[3], &[4], &[2, 1], &[2, 16], &[2, 17], &[2, 18]] {
        let oid = oid(path);
        let at = whole.windows(oid.len()).position(|window| window == oid).unwrap();
        let mut renumbered = whole.clone();
        renumbered[at + oid.len() - 1] = 99;
        assert!(!is_ok(renumbered), "without {path:?}");
    }
    for (path, size) in [(&[1][..], 16), (&[3], 2)] {
        let oid = oid(path);
        let at = whole.windows(oid.len()).position(|window| window == oid).unwrap() + oid.len();
        assert_eq!(whole[at..at + 2], [4, size]);
        let mut inner = whole.clone();
        // The last byte of the value becomes an element of its own: a value that is a byte short.
        let last = at + 1 + usize::from(size);
        inner[at + 1] -= 2;
        inner[last - 1] = 5;
        inner[last] = 0;
        assert!(!is_ok(inner), "with a short {path:?}");
    }
}

#[test]
fn an_expired_root_is_no_root() {
    // The test PKI's root ends before the certificates that it issues.
    let pki = Pki::new();
    let json = sample().collateral.tcb_info.replace("2025-07-19T", "2044-07-19T");
    let body = answer("tcbInfo", &json, &pki.tcb_signing.sign(json.as_bytes()));
    let roots = TrustedRoots::parse(pki.root.certificate.pem().as_bytes()).unwrap();
    let check = |now| TCB_INFO(&body, &pki.chain(&pki.tcb_signing), &roots, date(now));
    assert!(check("2039-12-31T00:00:00Z").is_ok());
    let error = check("2040-01-02T00:00:00Z").unwrap_err();
    assert!(matches!(&error, CollateralError::Expired { what, .. } if what.contains("chain")));
}

fn sgx_extension() -> Vec<u8> {
    let (leaf, _) = pck_of_quote();
    dcap_qvl::intel::parse_pck_extension_from_pem(leaf.as_bytes()).unwrap().raw_extension
}
