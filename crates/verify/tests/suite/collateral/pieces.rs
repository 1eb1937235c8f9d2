//! All kinds of collateral as one: an answer, its issuer chain, and the check for its kind.

use std::time::SystemTime;

use sgx::Quote;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use verify::{
    CollateralError, TrustedRoots, Validity, check_enclave_identity, check_pck_certificate,
    check_pck_crl, check_root_ca_crl, check_tcb_info,
};

use crate::common::sample;

pub(crate) type Check =
    fn(&[u8], &str, &TrustedRoots, SystemTime) -> Result<Validity, CollateralError>;

/// One answer.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) name: &'static str,
    pub(crate) body: Vec<u8>,
    /// Empty for the root's CRL.
    pub(crate) issuer_chain: String,
    pub(crate) check: Check,
    pub(crate) roots: TrustedRoots,
    /// Within its time.
    pub(crate) now: SystemTime,
}

impl Piece {
    pub(crate) fn check(&self) -> Result<Validity, CollateralError> {
        self.check_at(self.now)
    }

    pub(crate) fn check_at(&self, now: SystemTime) -> Result<Validity, CollateralError> {
        (self.check)(&self.body, &self.issuer_chain, &self.roots, now)
    }
}

pub(crate) const PCK_CERTIFICATE: Check = |body, chain, roots, now| {
    check_pck_certificate(body, chain, roots, now).map(|certificate| certificate.validity)
};
pub(crate) const PCK_CRL: Check =
    |body, chain, roots, now| check_pck_crl(body, chain, roots, now).map(|crl| crl.validity);
pub(crate) const ROOT_CA_CRL: Check =
    |body, _, roots, now| check_root_ca_crl(body, roots, now).map(|crl| crl.validity);
pub(crate) const TCB_INFO: Check =
    |body, chain, roots, now| check_tcb_info(body, chain, roots, now).map(|info| info.validity);
pub(crate) const ENCLAVE_IDENTITY: Check = |body, chain, roots, now| {
    check_enclave_identity(body, chain, roots, now).map(|identity| identity.validity)
};

/// Answers of Intel's PCS: those recorded here, and what comes with dcap-qvl.
pub(crate) fn intels() -> Vec<Piece> {
    let sample = sample().collateral;
    let signing = recorded_text("tcb-signing-chain.pem");
    let platform_ca = recorded_text("pck-platform-ca-chain.pem");
    let august = date("2025-08-20T00:00:00Z");
    let june = date("2025-06-25T00:00:00Z");
    let piece = |name, body, issuer_chain: &String, check, now| Piece {
        name,
        body,
        issuer_chain: issuer_chain.clone(),
        check,
        roots: TrustedRoots::intel(),
        now,
    };
    vec![
        piece(
            "PCK",
            recorded("pck-90806F000000-highest.pem"),
            &platform_ca,
            PCK_CERTIFICATE,
            august,
        ),
        piece("PCK CRL", sample.pck_crl, &sample.pck_crl_issuer_chain, PCK_CRL, june),
        piece("root CRL", sample.root_ca_crl, &String::new(), ROOT_CA_CRL, june),
        piece("TCB info", recorded("tcb-info-90806F000000.json"), &signing, TCB_INFO, august),
        piece("QE identity", recorded("qe-identity.json"), &signing, ENCLAVE_IDENTITY, june),
    ]
}

/// The PCK certificate out of the production quote, and its issuer chain.
pub(crate) fn pck_of_quote() -> (String, String) {
    let quote = Quote::parse(&sample().quote).unwrap();
    let chain = String::from_utf8(quote.signature.certification_data.data).unwrap();
    let end = "-----END CERTIFICATE-----\n";
    let (leaf, issuers) = chain.trim_end_matches('\0').split_once(end).unwrap();
    (format!("{leaf}{end}"), issuers.to_owned())
}

pub(crate) fn recorded(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/recorded/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn recorded_text(file: &str) -> String {
    String::from_utf8(recorded(file)).unwrap()
}

pub(crate) fn date(text: &str) -> SystemTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap().into()
}

/// A whole answer out of signed JSON and its signature.
pub(crate) fn answer(member: &str, json: &str, signature: &[u8]) -> Vec<u8> {
    format!("{{\"{member}\":{json},\"signature\":\"{}\"}}", hex::encode(signature)).into_bytes()
}
