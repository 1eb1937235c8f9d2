//! A platform under a root of its own. It takes the published data of the production sample and
//! signs everything anew, so that a test can change what only the vendor could change.

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use dcap_qvl::intel::parse_pck_extension_from_pem;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    CustomExtension, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, SigningKey, date_time_ymd,
};
use sgx::{
    CertificationDataType, Collateral, IntoBytes, Measurement, Quote, QuoteBody, QuoteHeader,
    TdReport10, TdReport15, U16, U32,
};
use test_support::sample::tdx_sample;
use verify::{Policy, TrustedRoots, Verdict, verify};

use super::{SAMPLE_TIME, Sample, at, lenient, sample};

const SGX_EXTENSION: [u64; 7] = [1, 2, 840, 113_741, 1, 13, 1];

/// The data for the platform to sign.
pub(crate) struct Draft {
    pub(crate) quote: Quote,
    pub(crate) tcb_info: String,
    pub(crate) qe_identity: String,
    /// DER of the SGX extension in the PCK certificate.
    pub(crate) sgx_extension: Vec<u8>,
    pub(crate) revoke_pck: bool,
    pub(crate) revoke_tcb_signing: bool,
    /// Lets the PCK CA, not the root, issue the certificate that signs TCB info and QE identity.
    pub(crate) tcb_signing_by_pck_ca: bool,
}

impl Draft {
    /// Replaces all occurrences of this text, one at least, in the TCB info.
    #[track_caller]
    pub(crate) fn edit_tcb_info(&mut self, from: &str, to: &str) {
        edit(&mut self.tcb_info, from, to);
    }

    /// Replaces all occurrences of this text, one at least, in the QE identity.
    #[track_caller]
    pub(crate) fn edit_qe_identity(&mut self, from: &str, to: &str) {
        edit(&mut self.qe_identity, from, to);
    }

    /// The TD's report, of TDX 1.0.
    pub(crate) fn td(&mut self) -> &mut TdReport10 {
        match &mut self.quote.body {
            QuoteBody::Td10(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// Makes the quote one of TDX 1.5, whose current TCB is the one at its launch.
    pub(crate) fn td_15(&mut self) -> &mut TdReport15 {
        let base = *self.td();
        let (tee_tcb_svn_2, mr_service_td) = (base.tee_tcb_svn, Measurement::default());
        self.quote.header.version = U16::new(5);
        self.quote.header.tee_type = U32::new(QuoteHeader::TDX);
        let report = TdReport15 { base, tee_tcb_svn_2, mr_service_td };
        self.quote.body = QuoteBody::Td15(Box::new(report));
        match &mut self.quote.body {
            QuoteBody::Td15(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn edit(json: &mut String, from: &str, to: &str) {
    assert!(json.contains(from), "{from} is not in {json}");
    *json = json.replace(from, to);
}

/// Signed evidence, and the root it leads to.
pub(crate) struct Platform {
    pub(crate) quote: Quote,
    pub(crate) collateral: Collateral,
    pub(crate) roots: TrustedRoots,
}

impl Platform {
    /// Signs the sample's data after this change.
    pub(crate) fn new(change: impl FnOnce(&mut Draft)) -> Self {
        Self::of(sample(), change)
    }

    /// The same of a TD.
    pub(crate) fn tdx(change: impl FnOnce(&mut Draft)) -> Self {
        Self::of(tdx_sample(), change)
    }

    fn of(sample: Sample, change: impl FnOnce(&mut Draft)) -> Self {
        let quote = Quote::parse_padded(&sample.quote).unwrap();
        let pck_chain = &quote.signature.certification_data.data;
        let mut draft = Draft {
            sgx_extension: parse_pck_extension_from_pem(pck_chain).unwrap().raw_extension,
            quote,
            tcb_info: sample.collateral.tcb_info,
            qe_identity: sample.collateral.qe_identity,
            revoke_pck: false,
            revoke_tcb_signing: false,
            tcb_signing_by_pck_ca: false,
        };
        change(&mut draft);
        sign(draft)
    }

    pub(crate) fn verify(&self) -> Verdict {
        self.verify_at(SAMPLE_TIME, &lenient())
    }

    pub(crate) fn verify_at(&self, now: u64, policy: &Policy) -> Verdict {
        verify(&self.quote.to_bytes(), &self.collateral, &self.roots, at(now), policy)
    }
}

fn sign(draft: Draft) -> Platform {
    let root = Authority::root();
    let ca = Authority::under(&root, "Test SGX PCK Platform CA", 2);
    let tcb_issuer = if draft.tcb_signing_by_pck_ca { &ca } else { &root };
    let tcb_signing = Authority::leaf(tcb_issuer, "Test SGX TCB Signing", 3, None);
    let pck = Authority::leaf(&ca, "Test SGX PCK Certificate", 4, Some(draft.sgx_extension));
    let tcb_chain = match draft.tcb_signing_by_pck_ca {
        true => chain([&tcb_signing, &ca]),
        false => chain([&tcb_signing, &root]),
    };
    let mut quote = draft.quote;
    sign_quote(&mut quote, &pck.key);
    quote.signature.certification_data.data_type = CertificationDataType::PCK_CERTIFICATE_CHAIN;
    quote.signature.certification_data.data = chain([&pck, &ca, &root]).into_bytes();
    let collateral = Collateral {
        pck_crl_issuer_chain: chain([&ca, &root]),
        root_ca_crl: root.crl(draft.revoke_tcb_signing.then_some(3)),
        pck_crl: ca.crl(draft.revoke_pck.then_some(4)),
        tcb_info_issuer_chain: tcb_chain.clone(),
        tcb_info_signature: raw_signature(&tcb_signing.key, draft.tcb_info.as_bytes()),
        tcb_info: draft.tcb_info,
        qe_identity_issuer_chain: tcb_chain,
        qe_identity_signature: raw_signature(&tcb_signing.key, draft.qe_identity.as_bytes()),
        qe_identity: draft.qe_identity,
        pck_certificate_chain: None,
    };
    let roots = TrustedRoots::parse(root.certificate.pem().as_bytes()).unwrap();
    Platform { quote, collateral, roots }
}

fn sign_quote(quote: &mut Quote, pck: &KeyPair) {
    let attestation = KeyPair::generate().unwrap();
    let public_key = &attestation.public_key_raw()[1..];
    let signed = quote.signed_bytes();
    let signature = &mut quote.signature;
    signature.attestation_public_key = public_key.try_into().unwrap();
    signature.signature = raw_signature(&attestation, &signed).try_into().unwrap();
    let bound = [public_key, &signature.authentication_data].concat();
    let hash = <DefaultConfig as Config>::Crypto::sha256(&bound);
    signature.qe_report.report_data.0[..32].copy_from_slice(&hash);
    let report_signature = raw_signature(pck, signature.qe_report.as_bytes());
    signature.qe_report_signature = report_signature.try_into().unwrap();
}

fn raw_signature(key: &KeyPair, message: &[u8]) -> Vec<u8> {
    p256::ecdsa::Signature::from_der(&key.sign(message).unwrap()).unwrap().to_bytes().to_vec()
}

pub(crate) fn chain<const N: usize>(certificates: [&Authority; N]) -> String {
    certificates.map(|authority| authority.certificate.pem()).concat()
}

/// A certificate and its key.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) certificate: Certificate,
}

impl Authority {
    pub(crate) fn root() -> Self {
        let (params, key) = (ca_params("Test SGX Root CA", 1), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self { params, key, certificate }
    }

    pub(crate) fn under(issuer: &Self, name: &str, serial: u64) -> Self {
        Self::issued(issuer, ca_params(name, serial))
    }

    /// A CA under `issuer` whose key has this one use. It signs CRLs all the same.
    pub(crate) fn ca_for(issuer: &Self, name: &str, usage: KeyUsagePurpose) -> Self {
        let mut params = ca_params(name, 20);
        params.key_usages = vec![usage];
        let issued = Self::issued(issuer, params);
        Self { params: ca_params(name, 20), ..issued }
    }

    /// A certificate whose key may sign certificates, but which is no CA's.
    pub(crate) fn no_ca(issuer: &Self, name: &str) -> Self {
        let mut params = ca_params(name, 21);
        params.is_ca = IsCa::ExplicitNoCa;
        Self::issued(issuer, params)
    }

    pub(crate) fn leaf(
        issuer: &Self,
        name: &str,
        serial: u64,
        sgx_extension: Option<Vec<u8>>,
    ) -> Self {
        let mut params = params(name, serial);
        // Longer than its issuers.
        params.not_after = date_time_ymd(2045, 1, 1);
        let extension = |der| CustomExtension::from_oid_content(&SGX_EXTENSION, der);
        params.custom_extensions = sgx_extension.map(extension).into_iter().collect();
        Self::issued(issuer, params)
    }

    fn issued(issuer: &Self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self { params, key, certificate }
    }

    /// The same key in the hands of somebody else.
    pub(crate) fn under_another_name(&self, name: &str) -> Self {
        let key = KeyPair::from_pem(&self.key.serialize_pem()).unwrap();
        let params = ca_params(name, 99);
        let certificate = params.self_signed(&key).unwrap();
        Self { params, key, certificate }
    }

    /// Signs raw: r ‖ s.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        raw_signature(&self.key, message)
    }

    pub(crate) fn crl(&self, revoked: Option<u64>) -> Vec<u8> {
        let revoked = revoked.map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2025, 1, 2),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2025, 7, 15),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&issuer).unwrap().der().to_vec()
    }
}

fn ca_params(name: &str, serial: u64) -> CertificateParams {
    let mut params = params(name, serial);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}
