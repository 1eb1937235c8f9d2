//! The contents of TCB info, QE identity and PCK certificate, and their consistency.

use serde_json::{Value, json};
use sgx::{U16, U32};
use verify::{Step, TcbStatus};

use crate::differential::evidence::{Evidence, level, qe_level};
use crate::differential::{Answer, Case, INTEL_OK, UP_TO_DATE, case, refused, run, undecided};

/// A case that changes a member of TCB info.
fn tcb_info(
    member: &'static str,
    value: impl Into<Option<Value>>,
    intel: Result<TcbStatus, &'static str>,
    ours: Answer,
) -> Case {
    let value = value.into();
    let name = format!("TCB info with {member} {value:?}");
    case(name, move |e| set(&mut e.tcb_info, member, value.clone()), intel, ours)
}

/// A case that changes a member of the QE identity.
fn qe_identity(
    member: &'static str,
    value: impl Into<Option<Value>>,
    intel: Result<TcbStatus, &'static str>,
    ours: Answer,
) -> Case {
    let value = value.into();
    let name = format!("QE identity with {member} {value:?}");
    case(name, move |e| set(&mut e.qe_identity, member, value.clone()), intel, ours)
}

/// `None` removes the member.
fn set(json: &mut Value, member: &str, value: Option<Value>) {
    let members = json.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(member.to_owned(), value),
        None => members.remove(member),
    };
}

#[test]
fn tcb_info_has_one_form() {
    const FORM: Result<TcbStatus, &str> = Err("SGX_TCB_INFO_INVALID");
    let unreadable = undecided(Step::TcbInfo);
    let mismatch = undecided(Step::TcbLevel);
    const MISMATCH: Result<TcbStatus, &str> = Err("TCB_INFO_MISMATCH");
    let up_to_date = || level([5; 16], 10, TcbStatus::UpToDate);
    let mut cases = vec![
        tcb_info("news", json!({"deep": [1]}), INTEL_OK, UP_TO_DATE),
        // Intel's verifier still reads version 2, which PCS API version 4 does not have.
        tcb_info("version", json!(2), INTEL_OK, unreadable),
        tcb_info("version", json!(1), FORM, unreadable),
        tcb_info("version", json!(4), FORM, unreadable),
        tcb_info("tcbType", json!(1), FORM, unreadable),
        tcb_info("tcbType", json!(255), FORM, unreadable),
        tcb_info("tcbType", json!("0"), FORM, unreadable),
        tcb_info("id", json!("TDX"), MISMATCH, unreadable),
        tcb_info("id", json!("SEV"), FORM, unreadable),
        tcb_info("fmspc", json!("00906ED50001"), MISMATCH, mismatch),
        tcb_info("fmspc", json!("00906ed50000"), INTEL_OK, UP_TO_DATE),
        tcb_info("fmspc", json!("00906ED500"), FORM, unreadable),
        tcb_info("pceId", json!("0001"), MISMATCH, mismatch),
        tcb_info("pceId", json!("0100"), MISMATCH, mismatch),
        tcb_info("pceId", json!("00"), FORM, unreadable),
        tcb_info("tcbEvaluationDataNumber", json!(-1), FORM, unreadable),
        tcb_info("tcbLevels", json!([]), FORM, unreadable),
        tcb_info("tcbLevels", json!([up_to_date(), up_to_date()]), FORM, unreadable),
        tcb_info(
            "tcbLevels",
            json!([level([6; 16], 10, TcbStatus::UpToDate)]),
            Err("TCB_NOT_SUPPORTED"),
            refused(Step::TcbLevel),
        ),
        tcb_info("issueDate", json!("yesterday"), FORM, unreadable),
        tcb_info("nextUpdate", json!("1969-01-01T00:00:00Z"), FORM, unreadable),
    ];
    for member in [
        "id",
        "version",
        "issueDate",
        "nextUpdate",
        "fmspc",
        "pceId",
        "tcbType",
        "tcbEvaluationDataNumber",
        "tcbLevels",
    ] {
        cases.push(tcb_info(member, None, FORM, unreadable));
    }
    run(&cases);
}

#[test]
fn the_qe_identity_has_one_form() {
    const FORM: Result<TcbStatus, &str> = Err("SGX_ENCLAVE_IDENTITY_INVALID");
    const MISMATCH: Result<TcbStatus, &str> = Err("QE_IDENTITY_MISMATCH");
    let unreadable = undecided(Step::QeIdentity);
    let mismatch = refused(Step::QeMatch);
    let mut cases = vec![
        qe_identity("news", json!([]), INTEL_OK, UP_TO_DATE),
        qe_identity(
            "version",
            json!(1),
            Err("SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION"),
            unreadable,
        ),
        qe_identity(
            "version",
            json!(3),
            Err("SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION"),
            unreadable,
        ),
        qe_identity("id", json!("TD_QE"), MISMATCH, unreadable),
        qe_identity("id", json!("QVE"), MISMATCH, unreadable),
        qe_identity("id", json!("PCE"), FORM, unreadable),
        qe_identity("mrsigner", json!("00".repeat(32)), MISMATCH, mismatch),
        qe_identity("mrsigner", json!("00"), FORM, unreadable),
        qe_identity("isvprodid", json!(2), MISMATCH, mismatch),
        qe_identity("miscselect", json!("01000000"), MISMATCH, mismatch),
        qe_identity("attributes", json!("10".repeat(16)), MISMATCH, mismatch),
        qe_identity(
            "tcbLevels",
            json!([qe_level(u16::MAX, TcbStatus::UpToDate), qe_level(0, TcbStatus::OutOfDate)]),
            Ok(TcbStatus::OutOfDate),
            Answer::Accepts(TcbStatus::OutOfDate),
        ),
    ];
    // Intel's verifier sorts the levels, and compares no bits outside of the mask.
    cases.extend([
        qe_identity(
            "tcbLevels",
            json!([qe_level(0, TcbStatus::OutOfDate), qe_level(8, TcbStatus::UpToDate)]),
            INTEL_OK,
            UP_TO_DATE,
        ),
        qe_identity("attributesMask", json!("00".repeat(16)), MISMATCH, mismatch),
        qe_identity("miscselectMask", json!("00000000"), INTEL_OK, UP_TO_DATE),
    ]);
    for member in [
        "id",
        "version",
        "issueDate",
        "nextUpdate",
        "tcbEvaluationDataNumber",
        "mrsigner",
        "isvprodid",
        "miscselect",
        "miscselectMask",
        "attributes",
        "attributesMask",
        "tcbLevels",
    ] {
        cases.push(qe_identity(member, None, FORM, unreadable));
    }
    run(&cases);
}

#[test]
fn numbers_of_tcb_evaluations_may_differ() {
    // Intel's verifier reports the lower one; `verify: policy` has what becomes of it.
    run(&[
        tcb_info("tcbEvaluationDataNumber", json!(1), INTEL_OK, UP_TO_DATE),
        tcb_info("tcbEvaluationDataNumber", json!(99), INTEL_OK, UP_TO_DATE),
        qe_identity("tcbEvaluationDataNumber", json!(1), INTEL_OK, UP_TO_DATE),
        qe_identity("tcbEvaluationDataNumber", json!(99), INTEL_OK, UP_TO_DATE),
    ]);
}

#[test]
fn the_pck_certificate_belongs_to_the_tcb_info() {
    const MISMATCH: Result<TcbStatus, &str> = Err("TCB_INFO_MISMATCH");
    let mismatch = undecided(Step::TcbLevel);
    let features = |features| move |e: &mut Evidence| e.platform.features = features;
    run(&[
        case("another FMSPC", |e| e.platform.fmspc[5] = 1, MISMATCH, mismatch),
        case("another PCE id", |e| e.platform.pce_id = [0, 1], MISMATCH, mismatch),
        case("another PCE id", |e| e.platform.pce_id = [1, 0], MISMATCH, mismatch),
        case("no configuration", features(None), INTEL_OK, UP_TO_DATE),
        case("every feature", features(Some([true; 3])), INTEL_OK, UP_TO_DATE),
    ]);
}

#[test]
fn the_quoting_enclave_is_the_published_one() {
    const MISMATCH: Result<TcbStatus, &str> = Err("QE_IDENTITY_MISMATCH");
    let mismatch = refused(Step::QeMatch);
    let (format, tee) = (undecided(Step::QuoteFormat), Err("UNSUPPORTED_QUOTE_FORMAT"));
    type Change = fn(&mut Evidence);
    let report: [(&str, Change); 5] = [
        ("MRSIGNER", |e| e.quote.signature.qe_report.mr_signer.0[31] ^= 1),
        ("ISVPRODID", |e| e.quote.signature.qe_report.isv_prod_id = U16::new(2)),
        ("MISCSELECT", |e| e.quote.signature.qe_report.misc_select = U32::new(1)),
        ("DEBUG", |e| e.quote.signature.qe_report.attributes = flags(sgx::Attributes::DEBUG)),
        ("EINITTOKEN_KEY", |e| {
            e.quote.signature.qe_report.attributes = flags(sgx::Attributes::EINITTOKEN_KEY);
        }),
    ];
    let mut cases: Vec<Case> = report
        .into_iter()
        .map(|(name, change)| case(format!("QE with another {name}"), change, MISMATCH, mismatch))
        .collect();
    cases.extend([
        case(
            "QE MRENCLAVE",
            |e| e.quote.signature.qe_report.mr_enclave.0[0] ^= 1,
            INTEL_OK,
            UP_TO_DATE,
        ),
        case("quote v4", |e| e.quote.header.version = U16::new(4), tee, format),
        case("TDX", |e| e.quote.header.tee_type = U32::new(0x81), tee, format),
        case("key type", |e| e.quote.header.attestation_key_type = U16::new(3), tee, format),
        case("vendor", |e| e.quote.header.qe_vendor_id[0] ^= 1, tee, format),
    ]);
    run(&cases);
}

fn flags(flag: u64) -> sgx::Attributes {
    sgx::Attributes::new(sgx::Attributes::INIT | 0x10 | flag, 3)
}
