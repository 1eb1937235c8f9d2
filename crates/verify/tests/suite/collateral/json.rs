//! The form of signed JSON: what may differ, and what may not.

use verify::{
    CollateralError, EnclaveId, TcbInfo, TrustedRoots, check_enclave_identity, check_tcb_info,
};

use crate::collateral::pieces::{answer, date, recorded, recorded_text};
use crate::common::platform::{Authority, chain};
use crate::common::{SAMPLE_TIME, at, sample};

#[test]
fn the_answer_may_be_written_otherwise_around_what_is_signed() {
    let body = String::from_utf8(recorded("tcb-info-90806F000000.json")).unwrap();
    let (signed, signature) = body.split_once(",\"signature\":").unwrap();
    let signed = signed.strip_prefix("{\"tcbInfo\":").unwrap();
    let signature = signature.strip_suffix('}').unwrap();
    let check = |body: &str| {
        let chain = recorded_text("tcb-signing-chain.pem");
        let now = date("2025-08-20T00:00:00Z");
        check_tcb_info(body.as_bytes(), &chain, &TrustedRoots::intel(), now)
    };
    for same in [
        format!("{{\"signature\":{signature},\"tcbInfo\":{signed}}}"),
        format!(" {{ \"tcbInfo\" : {signed} ,\n \"signature\" : {signature} }}\n"),
        format!("{{\"new\":[{{}}],\"tcbInfo\":{signed},\"signature\":{signature}}}"),
        format!("{{\"tcbInfo\":{signed},\"signature\":{}}}", signature.to_uppercase()),
    ] {
        assert!(check(&same).is_ok(), "{same}");
    }
    let spaced = signed.replacen(',', ", ", 1);
    for other in [
        format!("{{\"tcbInfo\":{spaced},\"signature\":{signature}}}"),
        format!("{{\"tcbInfo\":{signed},\"tcbInfo\":{signed},\"signature\":{signature}}}"),
        format!("{{\"tcbInfo\":{signed},\"signature\":{signature},\"signature\":{signature}}}"),
        format!("{{\"tcbInfo\":{signed}}}"),
        format!("{{\"tcbInfo\":{signed},\"signature\":\"\"}}"),
        format!("[{signed},{signature}]x"),
    ] {
        assert!(check(&other).is_err(), "{other}");
    }
}

#[test]
fn levels_may_stand_in_any_order_and_hold_what_is_new() {
    let original = tcb_info(|json| json).unwrap();
    let reversed = tcb_info(|json| {
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["tcbLevels"].as_array_mut().unwrap().reverse();
        value["news"] = serde_json::json!({"deep": [[[[]]]]});
        value.to_string()
    });
    // Each is signed in a PKI of its own.
    let mut reversed = reversed.unwrap();
    reversed.signer.clone_from(&original.signer);
    assert_eq!(reversed, original);
}

#[test]
fn other_versions_and_kinds_are_unreadable() {
    for (from, to) in [
        ("\"version\":3", "\"version\":2"),
        ("\"version\":3", "\"version\":4"),
        ("\"id\":\"SGX\"", "\"id\":\"SEV\""),
        ("\"id\":\"SGX\"", "\"id\":\"SGX\",\"id\":\"SGX\""),
        ("00A067110000", "00A0671100"),
        ("\"pceId\":\"0000\"", "\"pceId\":\"zzzz\""),
        ("2025-06-19T", "the 19th of June "),
        ("2025-07-19T", "1925-07-19T"),
        ("\"SWHardeningNeeded\"", "\"Splendid\""),
        ("\"sgxtcbcomponents\":[", "\"sgxtcbcomponents\":[{\"svn\":1},"),
        ("\"sgxtcbcomponents\":[{\"svn\":11},", "\"sgxtcbcomponents\":["),
        ("{\"svn\":255}", "{\"svn\":256}"),
    ] {
        let error = tcb_info(|json| replaced(&json, from, to)).unwrap_err();
        assert!(matches!(error, CollateralError::Unreadable { .. }), "{to}: {error}");
    }
}

/// Version 2 has neither the `id` nor the components of version 3, but is named first.
#[test]
fn version_2_of_tcb_info_is_named() {
    let error = tcb_info(|_| {
        r#"{"version":2,"issueDate":"2021-06-19T00:00:00Z","nextUpdate":"2021-07-19T00:00:00Z",
            "fmspc":"00A067110000","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":10,
            "tcbLevels":[{"tcb":{"sgxtcbcomp01svn":11,"pcesvn":10},"tcbStatus":"UpToDate",
            "tcbDate":"2020-11-11T00:00:00Z"}]}"#
            .to_owned()
    });
    let error = error.unwrap_err().to_string();
    let told = "the TCB info cannot be used: it is version 2; version 3 is needed; check that \
                its source is a PCS or a PCCS, API version 4, or use another source";
    assert_eq!(error, told);
}

#[test]
fn enclave_identities_are_those_of_three_enclaves() {
    let identity = |from: &str, to: &str| {
        let json = replaced(&sample().collateral.qe_identity, from, to);
        let pki = Pki::new();
        let body = answer("enclaveIdentity", &json, &pki.signer.sign(json.as_bytes()));
        check_enclave_identity(&body, &pki.chain(), &pki.roots(), at(SAMPLE_TIME))
    };
    for (id, name) in [(EnclaveId::Qe, "QE"), (EnclaveId::Qve, "QVE"), (EnclaveId::TdQe, "TD_QE")] {
        assert_eq!(identity("\"QE\"", &format!("\"{name}\"")).unwrap().id, id);
        assert_eq!(id.to_string(), name);
    }
    for (from, to) in [
        ("\"id\":\"QE\"", "\"id\":\"PCE\""),
        ("\"id\":\"QE\"", "\"id\":\"qe\""),
        ("\"version\":2", "\"version\":1"),
        ("\"mrsigner\"", "\"signer\""),
        ("2025-07-19T", "soon"),
    ] {
        let error = identity(from, to).unwrap_err();
        assert!(matches!(error, CollateralError::Unreadable { .. }), "{to}: {error}");
    }
}

#[test]
fn large_and_deep_answers_are_refused() {
    let deep = "[".repeat(1 << 20);
    let wide = "[],".repeat(1 << 20);
    let pki = Pki::new();
    for body in [
        format!("{{\"tcbInfo\":{deep}"),
        format!("{{\"tcbInfo\":{deep}{}}}", "]".repeat(1 << 20)),
        format!("{{\"x\":[{wide}[]],\"tcbInfo\":[{wide}[]]}}"),
        format!("{{\"tcbInfo\":{{\"tcbLevels\":{deep}"),
    ] {
        let checked = check_tcb_info(body.as_bytes(), &pki.chain(), &pki.roots(), at(SAMPLE_TIME));
        assert!(matches!(checked, Err(CollateralError::Unreadable { .. })));
    }
}

/// The sample's TCB info, changed and signed anew.
fn tcb_info(change: impl FnOnce(String) -> String) -> Result<TcbInfo, CollateralError> {
    let pki = Pki::new();
    let json = change(sample().collateral.tcb_info);
    let body = answer("tcbInfo", &json, &pki.signer.sign(json.as_bytes()));
    check_tcb_info(&body, &pki.chain(), &pki.roots(), at(SAMPLE_TIME))
}

struct Pki {
    root: Authority,
    signer: Authority,
}

impl Pki {
    fn new() -> Self {
        let root = Authority::root();
        Self { signer: Authority::leaf(&root, "Test SGX TCB Signing", 3, None), root }
    }

    fn chain(&self) -> String {
        chain([&self.signer, &self.root])
    }

    fn roots(&self) -> TrustedRoots {
        TrustedRoots::parse(self.root.certificate.pem().as_bytes()).unwrap()
    }
}

#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}
