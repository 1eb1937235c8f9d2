//! Results, supplemental data and errors of verifications.

use sgx::Quote3Error;
use software_platform::TcbStatus;
use test_support::sample::{SAMPLE_TIME, Sample, sample, tdx_sample};

use crate::platform::{Platform, write_evidence};
use crate::printed::Printed;
use crate::{now, program};

const OK: u32 = 0;
const OUT_OF_DATE: u32 = 0xa002;

/// The output of `verify.c` for this platform; `None` where nothing can be tested.
fn verified(platform: &Platform) -> Option<Printed> {
    verified_at(platform, now())
}

fn verified_at(platform: &Platform, date: i64) -> Option<Printed> {
    let program = program("verify");
    Some(Printed::by(&mut platform.command(&program, date)?))
}

fn verified_sample(sample: &Sample, date: u64) -> Printed {
    let directory = tempfile::tempdir().unwrap();
    write_evidence(directory.path(), &sample.quote, &sample.collateral);
    let program = program("verify");
    Printed::by(program.command().arg(directory.path()).arg(date.to_string()))
}

#[test]
fn production_quotes_hold_under_the_root_that_is_built_in() {
    for sample in [sample(), tdx_sample()] {
        let verifier = verify::Verifier::new(verify::TrustedRoots::intel());
        let facts = verifier.examine(&sample.quote, &sample.collateral).unwrap();
        let printed = verified_sample(&sample, SAMPLE_TIME);
        assert_eq!(printed.error(), Quote3Error::SUCCESS);
        assert_eq!(printed.number("expired"), 0);
        assert_eq!(printed.0["pck_ppid"], hex::encode(facts.pck().ppid));
        assert_eq!(printed.0["tcb_cpusvn"], hex::encode(facts.pck().cpu_svn.0));
        assert_eq!(printed.0["sa_list"], facts.attested.tcb.advisory_ids.join(","));
        assert!(printed.number("earliest_expiration_date") > SAMPLE_TIME.cast_signed());
    }
}

#[test]
fn supplemental_data_has_the_facts_of_the_platform() {
    let platform = Platform::new();
    let Some(printed) = verified(&platform) else { return };
    printed.succeeds(OK);
    assert_eq!(printed.number("expired"), 0);
    let subject = platform.software.pck_subject();
    assert_eq!(printed.0["pck_ppid"], hex::encode(subject.ppid));
    assert_eq!(printed.0["tcb_cpusvn"], hex::encode(subject.cpu_svn.0));
    assert_eq!(printed.number("tcb_pce_isvsvn"), i64::from(subject.pce_svn));
    assert_eq!(printed.number("tcb_eval_ref_num"), 1);
    let created = platform.software.tcb_level().date.unix_timestamp();
    assert_eq!(printed.number("tcb_level_date_tag"), created);
    assert_eq!(printed.number("platform_tcb_level_date_tag"), created);
    assert_eq!(printed.number("qe_iden_status"), 0);
    assert_eq!(printed.number("tcb_date_current"), created);
    assert_eq!(printed.number("tcb_status_current"), 0);
    assert!(printed.number("earliest_issue_date") <= printed.number("latest_issue_date"));
    assert!(printed.number("latest_issue_date") <= now());
    assert!(now() < printed.number("earliest_expiration_date"));
}

#[test]
fn expiry_is_told_apart_from_failure() {
    let platform = Platform::new();
    let Some(printed) = verified(&platform) else { return };
    let expiry = printed.number("earliest_expiration_date");
    for (date, expired) in [(expiry - 1, 0), (expiry, 1), (expiry + 1, 1), (1, 0)] {
        let printed = verified_at(&platform, date).unwrap();
        printed.succeeds(OK);
        assert_eq!(printed.number("expired"), expired, "{date}");
    }
}

#[test]
fn the_status_of_the_platform_is_the_result() {
    let published = |status| {
        Platform::issuing(move |_, issue| {
            for level in &mut issue.tcb_levels {
                level.status = status;
                level.advisory_ids = vec!["INTEL-SA-2".to_owned(), "INTEL-SA-1".to_owned()];
            }
        })
    };
    let Some(printed) = verified(&published(TcbStatus::OutOfDate)) else { return };
    printed.succeeds(OUT_OF_DATE);
    assert_eq!(printed.0["sa_list"], "INTEL-SA-1,INTEL-SA-2");
    assert_eq!(printed.0["sa_list_current"], "INTEL-SA-1,INTEL-SA-2");
    assert_eq!(printed.number("tcb_status_current"), i64::from(OUT_OF_DATE));
    verified(&published(TcbStatus::Revoked)).unwrap().fails(Quote3Error::TCB_REVOKED);
}

#[test]
fn evidence_that_does_not_hold_has_the_numbers_of_intels_library() {
    let revoked = Platform::issuing(|software, issue| {
        issue.revoked_pck_serials.push(*software.pck_certificate().serial());
    });
    let Some(printed) = verified(&revoked) else { return };
    printed.fails(Quote3Error::PCK_REVOKED);

    let foreign = Platform::issuing(|_, issue| issue.fmspc = [1; 6]);
    verified(&foreign).unwrap().fails(Quote3Error::TCBINFO_MISMATCH);
    let too_high = Platform::issuing(|_, issue| {
        issue.tcb_levels.iter_mut().for_each(|level| level.pce_svn = u16::MAX);
    });
    verified(&too_high).unwrap().fails(Quote3Error::TCB_NOT_SUPPORTED);

    let mut platform = Platform::new();
    let right = platform.collateral.clone();
    let mut fails = |change: &dyn Fn(&mut sgx::Collateral), error| {
        platform.collateral = right.clone();
        change(&mut platform.collateral);
        platform.write_evidence();
        verified(&platform).unwrap().fails(error);
    };
    fails(&|it| it.tcb_info_signature[9] ^= 1, Quote3Error::TCBINFO_CHAIN_ERROR);
    fails(&|it| it.qe_identity_signature[9] ^= 1, Quote3Error::QEIDENTITY_CHAIN_ERROR);
    fails(&|it| it.tcb_info = "7".to_owned(), Quote3Error::TCBINFO_UNSUPPORTED_FORMAT);
    fails(&|it| it.qe_identity = "{}".to_owned(), Quote3Error::QEIDENTITY_UNSUPPORTED_FORMAT);
    fails(&|it| it.tcb_info_issuer_chain.clear(), Quote3Error::PCK_CERT_CHAIN_ERROR);
    fails(
        &|it| it.qe_identity_issuer_chain = it.qe_identity_issuer_chain.repeat(2),
        Quote3Error::PCK_CERT_UNSUPPORTED_FORMAT,
    );
    fails(
        &|it| it.pck_crl_issuer_chain = it.pck_crl_issuer_chain.replace("MII", "NII"),
        Quote3Error::PCK_CERT_CHAIN_ERROR,
    );
    fails(&|it| it.root_ca_crl.truncate(200), Quote3Error::CRL_UNSUPPORTED_FORMAT);
    fails(&|it| it.pck_crl = vec![0x30, 0], Quote3Error::CRL_UNSUPPORTED_FORMAT);
    fails(&|it| *it.root_ca_crl.last_mut().unwrap() ^= 1, Quote3Error::RESULT_INVALID_SIGNATURE);
    fails(&|it| *it.pck_crl.last_mut().unwrap() ^= 1, Quote3Error::RESULT_INVALID_SIGNATURE);
}

#[test]
fn collateral_that_services_have_written_anew_is_accepted() {
    let mut platform = Platform::new();
    let right = platform.collateral.clone();
    let mut succeeds = |change: &dyn Fn(&mut sgx::Collateral)| {
        platform.collateral = right.clone();
        change(&mut platform.collateral);
        assert_ne!(platform.collateral, right);
        platform.write_evidence();
        verified(&platform).is_none_or(|printed| printed.result() == OK)
    };
    let spaced = |json: &str| json.replace("\",\"", "\" ,\n \"").replace(":[", " : [\t");
    assert!(succeeds(&|it| it.tcb_info = spaced(&it.tcb_info)));
    assert!(succeeds(&|it| it.qe_identity = spaced(&it.qe_identity)));
    let certificates = |chain: &str| pem::parse_many(chain).unwrap();
    let reversed = |chain: &str| certificates(chain).iter().rev().map(pem::encode).collect();
    assert!(succeeds(&|it| it.tcb_info_issuer_chain = reversed(&it.tcb_info_issuer_chain)));
    assert!(succeeds(&|it| it.qe_identity_issuer_chain.insert_str(0, "a text\n")));
    let root = |chain: &str| pem::encode(&certificates(chain)[1]);
    assert!(succeeds(&|it| it.pck_crl_issuer_chain = root(&it.pck_crl_issuer_chain)));
}

#[test]
fn a_changed_quote_has_the_numbers_of_intels_library() {
    let platform = Platform::new();
    let quote = platform.quote();
    let changes = [
        (0, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (2, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (12, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (100, Quote3Error::RESULT_INVALID_SIGNATURE),
        (440, Quote3Error::RESULT_INVALID_SIGNATURE),
        // The attestation key, and the QE report.
        (500, Quote3Error::UNEXPECTED),
        (600, Quote3Error::QE_REPORT_INVALID_SIGNATURE),
    ];
    for (place, error) in changes {
        let mut changed = quote.clone();
        changed[place] ^= 0x10;
        platform.write("quote.bin", &changed);
        let Some(printed) = verified(&platform) else { return };
        printed.fails(error);
    }
}
