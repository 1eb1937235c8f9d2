//! Signers: their roles, names and revocation.

use verify::Step;

use crate::differential::evidence::Evidence;
use crate::differential::pki::Who;
use crate::differential::{Answer, INTEL_OK, UP_TO_DATE, case, refused, run, undecided};

#[test]
fn names_are_those_of_the_role() {
    let wrong =
        ["", "SGX", "SGX Root CA", "Test SGX QVE Signing", "Test TCB Signing", "sgx tcb signing"];
    let roles = [
        (Who::TcbSigner, "SGX_TCB_SIGNING_CERT_MISSING", Step::TcbInfo),
        (Who::PckCa, "SGX_INTERMEDIATE_CA_MISSING", Step::PckCertificate),
        (Who::Pck, "SGX_PCK_MISSING", Step::PckCertificate),
    ];
    let mut cases = Vec::new();
    for (who, intel, step) in roles {
        for name in wrong {
            let rename = move |e: &mut Evidence| name.clone_into(&mut e.certificate(who).name);
            cases.push(case(format!("{who:?} named {name:?}"), rename, Err(intel), refused(step)));
        }
    }
    let roles = [
        (Who::TcbSigner, "Another SGX TCB Signing"),
        (Who::PckCa, "Another SGX PCK Processor CA"),
        (Who::PckCa, "SGX PCK Platform CA"),
        (Who::Pck, "Another SGX PCK Certificate"),
        (Who::Root, "Another SGX Root CA"),
    ];
    for (who, name) in roles {
        let rename = move |e: &mut Evidence| name.clone_into(&mut e.certificate(who).name);
        cases.push(case(format!("{who:?} named {name:?}"), rename, INTEL_OK, UP_TO_DATE));
    }
    run(&cases);
}

#[test]
fn a_certificate_is_issued_by_its_own_authority() {
    let roles = [
        (Who::TcbSigner, "SGX_TCB_SIGNING_CERT_INVALID_ISSUER", Step::TcbInfo),
        (Who::PckCa, "SGX_INTERMEDIATE_CA_INVALID_ISSUER", Step::PckCertificate),
        (Who::Pck, "SGX_PCK_INVALID_ISSUER", Step::PckCertificate),
    ];
    let others = [Who::Root, Who::PckCa, Who::TcbSigner, Who::Pck, Who::Stranger];
    let mut cases = Vec::new();
    for (who, intel, step) in roles {
        let own = crate::differential::pki::CertificateSpec::of(who).issuer;
        for issuer in others.into_iter().filter(|issuer| *issuer != own) {
            let change = move |e: &mut Evidence| e.certificate(who).issuer = issuer;
            let name = format!("{who:?} issued by {issuer:?}");
            cases.push(case(name, change, Err(intel), refused(step)));
        }
    }
    let not_ca = |e: &mut Evidence| e.certificate(Who::PckCa).is_ca = false;
    let step = Step::PckCertificate;
    cases.push(case(
        "PCK CA that is no CA",
        not_ca,
        Err("SGX_INTERMEDIATE_CA_MISSING"),
        refused(step),
    ));
    run(&cases);
}

#[test]
fn a_signature_is_by_its_own_signer() {
    type SetSigner = fn(&mut Evidence, Who);
    let json = "TCB_INFO_INVALID_SIGNATURE";
    let roles: [(Who, SetSigner, &str, Answer); 5] = [
        (Who::TcbSigner, |e, who| e.tcb_info_signer = who, json, refused(Step::TcbInfo)),
        (
            Who::TcbSigner,
            |e, who| e.qe_identity_signer = who,
            "SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE",
            refused(Step::QeIdentity),
        ),
        (
            Who::Pck,
            |e, who| e.qe_report_signer = who,
            "INVALID_QE_REPORT_SIGNATURE",
            refused(Step::QeReportSignature),
        ),
        (
            Who::Root,
            |e, who| e.root_crl.signer = who,
            "SGX_CRL_UNKNOWN_ISSUER",
            refused(Step::RootCrl),
        ),
        (
            Who::PckCa,
            |e, who| e.pck_crl.signer = who,
            "SGX_CRL_UNKNOWN_ISSUER",
            undecided(Step::PckCertificate),
        ),
    ];
    let others = [Who::Root, Who::PckCa, Who::TcbSigner, Who::Pck, Who::Stranger];
    let mut cases = Vec::new();
    for (number, (own, set, intel, ours)) in roles.into_iter().enumerate() {
        for who in others.into_iter().filter(|who| *who != own) {
            let name = format!("signature {number} by {who:?}, not {own:?}");
            cases.push(case(name, move |e| set(e, who), Err(intel), ours));
        }
    }
    run(&cases);
}

#[test]
fn chains_have_one_form() {
    type Set = fn(&mut Evidence, Vec<Who>);
    type Form = (Vec<Who>, &'static str, Answer);
    use Who::{Pck, PckCa, Root, Stranger, TcbSigner};
    let json = |step| {
        vec![
            (vec![], "UNSUPPORTED_CERT_FORMAT", undecided(step)),
            (vec![TcbSigner], "SGX_ROOT_CA_MISSING", undecided(step)),
            (vec![Root], "SGX_TCB_SIGNING_CERT_MISSING", undecided(step)),
            (vec![TcbSigner, Stranger], "SGX_TCB_SIGNING_CERT_CHAIN_UNTRUSTED", undecided(step)),
            (vec![PckCa, Root], "SGX_TCB_SIGNING_CERT_MISSING", refused(step)),
            (vec![Root, Root], "SGX_TCB_SIGNING_CERT_MISSING", refused(step)),
            (vec![Pck, PckCa, Root], "SGX_TCB_SIGNING_CERT_MISSING", undecided(step)),
        ]
    };
    let (root, pck) = (Step::TrustedRoot, Step::PckCertificate);
    let chains: [(&str, Set, Vec<Form>); 3] = [
        ("TCB info", |e, chain| e.tcb_info_chain = chain, json(Step::TcbInfo)),
        ("QE identity", |e, chain| e.qe_identity_chain = chain, json(Step::QeIdentity)),
        (
            "PCK certificate",
            |e, chain| e.pck_chain = chain,
            vec![
                (vec![], "UNSUPPORTED_CERT_FORMAT", undecided(root)),
                (vec![Pck], "SGX_ROOT_CA_MISSING", undecided(root)),
                (vec![Pck, PckCa], "SGX_ROOT_CA_MISSING", undecided(root)),
                (vec![Pck, Root], "SGX_INTERMEDIATE_CA_MISSING", undecided(root)),
                (vec![Pck, PckCa, Stranger], "SGX_PCK_CERT_CHAIN_UNTRUSTED", refused(root)),
                (vec![Pck, TcbSigner, Root], "SGX_INTERMEDIATE_CA_MISSING", refused(pck)),
                (vec![PckCa, Pck, Root], "SGX_PCK_MISSING", refused(pck)),
                (vec![TcbSigner, PckCa, Root], "SGX_PCK_MISSING", refused(pck)),
                (vec![Pck, PckCa, PckCa, Root], "UNSUPPORTED_CERT_FORMAT", undecided(root)),
            ],
        ),
    ];
    let mut cases = Vec::new();
    for (name, set, forms) in chains {
        for (chain, intel, ours) in forms {
            let name = format!("{name} with {chain:?}");
            cases.push(case(name, move |e| set(e, chain.clone()), Err(intel), ours));
        }
    }
    run(&cases);
}

#[test]
fn revoked_issuers_are_refused() {
    let serial = |who: Who| who as u64 + 1;
    let by_root = |revoked: Who, intel, ours| {
        let change = move |e: &mut Evidence| e.root_crl.revoked = vec![900, serial(revoked), 901];
        case(format!("{revoked:?} revoked by the root"), change, intel, ours)
    };
    let by_ca = |revoked: Who, intel, ours| {
        let change = move |e: &mut Evidence| e.pck_crl.revoked = vec![900, serial(revoked), 901];
        case(format!("{revoked:?} revoked by the PCK CA"), change, intel, ours)
    };
    let pck = refused(Step::PckCertificate);
    run(&[
        by_root(Who::TcbSigner, Err("SGX_TCB_SIGNING_CERT_REVOKED"), refused(Step::TcbInfo)),
        by_root(Who::PckCa, Err("SGX_INTERMEDIATE_CA_REVOKED"), pck),
        // Intel's verifier does not look for the root on its own list.
        by_root(Who::Root, INTEL_OK, refused(Step::RootCrl)),
        by_root(Who::Pck, INTEL_OK, UP_TO_DATE),
        by_ca(Who::Pck, Err("SGX_PCK_REVOKED"), pck),
        by_ca(Who::PckCa, INTEL_OK, UP_TO_DATE),
        by_ca(Who::TcbSigner, INTEL_OK, UP_TO_DATE),
    ]);
}
