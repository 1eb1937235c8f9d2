//! Certificates and CRLs, each as a case wants it. The keys are the same in all cases.

use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    SigningKey,
};
use time::OffsetDateTime;

use crate::differential::evidence::{DAY, NOW};

/// The owner of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The root to trust.
    Root,
    PckCa,
    TcbSigner,
    Pck,
    /// The root of somebody else, with all names of the one to trust.
    Stranger,
    /// Signs quotes, and has no certificate.
    AttestationKey,
}

impl Who {
    pub(crate) const ALL: [Self; 6] =
        [Self::Root, Self::PckCa, Self::TcbSigner, Self::Pck, Self::Stranger, Self::AttestationKey];
}

/// A certificate before it is signed.
pub(crate) struct CertificateSpec {
    pub(crate) name: String,
    pub(crate) issuer: Who,
    pub(crate) serial: u64,
    pub(crate) is_ca: bool,
    /// `notBefore`, in seconds since 1970.
    pub(crate) from: i64,
    /// `notAfter`.
    pub(crate) until: i64,
}

impl CertificateSpec {
    pub(crate) fn of(who: Who) -> Self {
        let (name, issuer, is_ca) = match who {
            Who::Root => ("Test SGX Root CA", who, true),
            Who::PckCa => ("Test SGX PCK Platform CA", Who::Root, true),
            Who::TcbSigner => ("Test SGX TCB Signing", Who::Root, false),
            Who::Pck => ("Test SGX PCK Certificate", Who::PckCa, false),
            Who::Stranger => ("Test SGX Root CA", who, true),
            Who::AttestationKey => ("Test Attestation Key", Who::Pck, false),
        };
        let serial = who as u64 + 1;
        let name = name.to_owned();
        Self { name, issuer, serial, is_ca, from: NOW - 100 * DAY, until: NOW + 100 * DAY }
    }

    fn params(&self, sgx_extension: Option<Vec<u8>>) -> CertificateParams {
        const SGX_EXTENSION: [u64; 7] = [1, 2, 840, 113_741, 1, 13, 1];
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, self.name.as_str());
        params.serial_number = Some(SerialNumber::from(self.serial));
        params.not_before = OffsetDateTime::from_unix_timestamp(self.from).unwrap();
        params.not_after = OffsetDateTime::from_unix_timestamp(self.until).unwrap();
        if self.is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        let extension = |der| CustomExtension::from_oid_content(&SGX_EXTENSION, der);
        params.custom_extensions = sgx_extension.map(extension).into_iter().collect();
        params
    }
}

/// A CRL before it is signed.
pub(crate) struct CrlSpec {
    pub(crate) signer: Who,
    /// Serial numbers.
    pub(crate) revoked: Vec<u64>,
    /// `thisUpdate`, in seconds since 1970.
    pub(crate) from: i64,
    /// `nextUpdate`.
    pub(crate) until: i64,
}

impl CrlSpec {
    pub(crate) fn by(signer: Who) -> Self {
        Self { signer, revoked: Vec::new(), from: NOW - DAY, until: NOW + DAY }
    }
}

static KEYS: LazyLock<[KeyPair; Who::ALL.len()]> =
    LazyLock::new(|| Who::ALL.map(|_| KeyPair::generate().unwrap()));

fn key(who: Who) -> &'static KeyPair {
    &KEYS[who as usize]
}

/// x ‖ y.
pub(crate) fn public_key(who: Who) -> [u8; 64] {
    key(who).public_key_raw()[1..].try_into().unwrap()
}

/// r ‖ s.
pub(crate) fn sign(who: Who, message: &[u8]) -> [u8; 64] {
    let signature = key(who).sign(message).unwrap();
    p256::ecdsa::Signature::from_der(&signature).unwrap().to_bytes().into()
}

pub(crate) fn pem(certificates: &[CertificateSpec], who: Who, sgx_extension: Vec<u8>) -> String {
    let spec = &certificates[who as usize];
    let params = spec.params((who == Who::Pck).then_some(sgx_extension));
    if spec.issuer == who {
        return params.self_signed(key(who)).unwrap().pem();
    }
    let issuer = certificates[spec.issuer as usize].params(None);
    params.signed_by(key(who), &Issuer::from_params(&issuer, key(spec.issuer))).unwrap().pem()
}

pub(crate) fn crl(certificates: &[CertificateSpec], spec: &CrlSpec) -> Vec<u8> {
    let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: at(NOW - 50 * DAY),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: at(spec.from),
        next_update: at(spec.until),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: spec.revoked.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    // rcgen lets nobody but a CA sign a CRL.
    let CertificateSpec { name, issuer, .. } = &certificates[spec.signer as usize];
    let own = CertificateSpec { name: name.clone(), ..CertificateSpec::of(*issuer) };
    let issuer = CertificateSpec { is_ca: true, ..own }.params(None);
    params.signed_by(&Issuer::from_params(&issuer, key(spec.signer))).unwrap().der().to_vec()
}
