//! Evidence under a PKI of its own, every part of which a case may change before it is signed.

use std::sync::LazyLock;

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use serde_json::{Value, json};
use sgx::{Collateral, IntoBytes, Quote};
use verify::{TcbStatus, TrustedRoots};

use crate::common::{SAMPLE_TIME, sample};
use crate::differential::pki::{self, CertificateSpec, CrlSpec, Who};
use crate::differential::sgx_extension::{PlatformSpec, sgx_extension};

/// The time of every verification, in seconds since 1970.
pub(crate) const NOW: i64 = SAMPLE_TIME.cast_signed();
pub(crate) const DAY: i64 = 86_400;

/// The evidence before signing. By default Intel's verifier accepts it as `UpToDate`.
pub(crate) struct Evidence {
    pub(crate) certificates: [CertificateSpec; Who::ALL.len()],
    pub(crate) platform: PlatformSpec,
    pub(crate) root_crl: CrlSpec,
    pub(crate) pck_crl: CrlSpec,
    pub(crate) tcb_info: Value,
    pub(crate) tcb_info_signer: Who,
    pub(crate) tcb_info_chain: Vec<Who>,
    pub(crate) qe_identity: Value,
    pub(crate) qe_identity_signer: Who,
    pub(crate) qe_identity_chain: Vec<Who>,
    pub(crate) pck_chain: Vec<Who>,
    pub(crate) quote: Quote,
    pub(crate) qe_report_signer: Who,
}

static QUOTE: LazyLock<Quote> = LazyLock::new(|| Quote::parse(&sample().quote).unwrap());
static QE_IDENTITY: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&sample().collateral.qe_identity).unwrap());

impl Evidence {
    pub(crate) fn new() -> Self {
        let mut qe_identity = QE_IDENTITY.clone();
        qe_identity["issueDate"] = date(NOW - DAY);
        qe_identity["nextUpdate"] = date(NOW + DAY);
        Self {
            certificates: Who::ALL.map(CertificateSpec::of),
            platform: PlatformSpec::default(),
            root_crl: CrlSpec::by(Who::Root),
            pck_crl: CrlSpec::by(Who::PckCa),
            tcb_info: json!({
                "id": "SGX",
                "version": 3,
                "issueDate": date(NOW - DAY),
                "nextUpdate": date(NOW + DAY),
                "fmspc": "00906ED50000",
                "pceId": "0000",
                "tcbType": 0,
                "tcbEvaluationDataNumber": 17,
                "tcbLevels": [
                    level([5; 16], 10, TcbStatus::UpToDate),
                    level([3; 16], 8, TcbStatus::OutOfDate),
                    level([1; 16], 5, TcbStatus::Revoked),
                ],
            }),
            tcb_info_signer: Who::TcbSigner,
            tcb_info_chain: vec![Who::TcbSigner, Who::Root],
            qe_identity,
            qe_identity_signer: Who::TcbSigner,
            qe_identity_chain: vec![Who::TcbSigner, Who::Root],
            pck_chain: vec![Who::Pck, Who::PckCa, Who::Root],
            quote: QUOTE.clone(),
            qe_report_signer: Who::Pck,
        }
    }

    pub(crate) fn certificate(&mut self, who: Who) -> &mut CertificateSpec {
        &mut self.certificates[who as usize]
    }

    /// Signs everything; the root is the one to trust.
    pub(crate) fn sign(&self) -> (Vec<u8>, Collateral, TrustedRoots) {
        let pem = |who| pki::pem(&self.certificates, who, sgx_extension(&self.platform));
        let pems = Who::ALL.map(pem);
        let chain = |chain: &[Who]| chain.iter().map(|who| &*pems[*who as usize]).collect();
        let tcb_info = self.tcb_info.to_string();
        let qe_identity = self.qe_identity.to_string();
        let collateral = Collateral {
            pck_crl_issuer_chain: chain(&[Who::PckCa, Who::Root]),
            root_ca_crl: pki::crl(&self.certificates, &self.root_crl),
            pck_crl: pki::crl(&self.certificates, &self.pck_crl),
            tcb_info_issuer_chain: chain(&self.tcb_info_chain),
            tcb_info_signature: pki::sign(self.tcb_info_signer, tcb_info.as_bytes()).to_vec(),
            tcb_info,
            qe_identity_issuer_chain: chain(&self.qe_identity_chain),
            qe_identity_signature: pki::sign(self.qe_identity_signer, qe_identity.as_bytes())
                .to_vec(),
            qe_identity,
            pck_certificate_chain: Some(chain(&self.pck_chain)),
        };
        let roots = TrustedRoots::parse(pems[Who::Root as usize].as_bytes()).unwrap();
        (self.signed_quote(chain(&self.pck_chain)), collateral, roots)
    }

    /// The quote, which carries this chain.
    fn signed_quote(&self, pck_chain: String) -> Vec<u8> {
        let mut quote = self.quote.clone();
        let signed = quote.signed_bytes();
        let signature = &mut quote.signature;
        signature.certification_data.data = pck_chain.into_bytes();
        signature.attestation_public_key = pki::public_key(Who::AttestationKey);
        signature.signature = pki::sign(Who::AttestationKey, &signed);
        let bound =
            [&signature.attestation_public_key[..], &signature.authentication_data].concat();
        let hash = <DefaultConfig as Config>::Crypto::sha256(&bound);
        signature.qe_report.report_data.0[..32].copy_from_slice(&hash);
        signature.qe_report_signature =
            pki::sign(self.qe_report_signer, signature.qe_report.as_bytes());
        quote.to_bytes()
    }
}

/// A TCB level.
pub(crate) fn level(components: [u8; 16], pce_svn: u16, status: TcbStatus) -> Value {
    json!({
        "tcb": {
            "sgxtcbcomponents": components.map(|svn| json!({"svn": svn})),
            "pcesvn": pce_svn,
        },
        "tcbDate": "2024-03-13T00:00:00Z",
        "tcbStatus": status,
    })
}

/// A TCB level of the QE.
pub(crate) fn qe_level(isv_svn: u16, status: TcbStatus) -> Value {
    json!({"tcb": {"isvsvn": isv_svn}, "tcbDate": "2024-03-13T00:00:00Z", "tcbStatus": status})
}

/// RFC 3339.
pub(crate) fn date(seconds: i64) -> Value {
    let format = &time::format_description::well_known::Rfc3339;
    json!(time::OffsetDateTime::from_unix_timestamp(seconds).unwrap().format(format).unwrap())
}
