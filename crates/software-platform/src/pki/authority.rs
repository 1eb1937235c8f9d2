//! Signing keys with their certificates.

use rcgen::{CertificateParams, CrlDistributionPoint, Issuer, PublicKeyData};
use time::OffsetDateTime;

use super::sgx_extension::sgx_extension;
use super::{
    Certificate, PckCertificate, PckSubject, PcsUrl, PkiError, PrivateKey, PublicKey, Role,
    SubjectNames,
};
use crate::hash::sha256;

/// The common parts of all certificates of a deployment.
#[derive(Debug, Clone)]
pub(crate) struct CertificateProfile {
    pub(crate) names: SubjectNames,
    /// The begin of validity; whole seconds.
    pub(crate) created: OffsetDateTime,
    pub(crate) pcs_url: PcsUrl,
}

/// The root, a PCK CA or the TCB signer.
pub(crate) struct Authority {
    pub(crate) certificate: Certificate,
    pub(crate) issuer: Issuer<'static, PrivateKey>,
}

impl Authority {
    /// The root, which certifies its own key.
    pub(crate) fn root(key: PrivateKey, profile: &CertificateProfile) -> Result<Self, PkiError> {
        let mut params = template(Role::Root, profile)?;
        params.serial_number = Some(serial(&key, &key, b"").to_vec().into());
        let certificate = params.self_signed(&key)?.into();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Certifies the key of another authority.
    pub(crate) fn certify(
        &self,
        key: PrivateKey,
        role: Role,
        profile: &CertificateProfile,
    ) -> Result<Self, PkiError> {
        let mut params = template(role, profile)?;
        params.serial_number = Some(serial(self.issuer.key(), &key, b"").to_vec().into());
        let certificate = params.signed_by(&key, &self.issuer)?.into();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Certifies the PCK of a platform at its TCB. The caller adds the issuers' certificates.
    pub(crate) fn certify_pck(
        &self,
        subject: &PckSubject,
        key: &PublicKey,
        profile: &CertificateProfile,
        issuer_chain_pem: String,
    ) -> Result<PckCertificate, PkiError> {
        let extension = sgx_extension(subject);
        let serial = serial(self.issuer.key(), key, extension.content());
        let mut params = template(Role::Pck, profile)?;
        params.serial_number = Some(serial.to_vec().into());
        params.custom_extensions = vec![extension];
        let leaf = params.signed_by(key, &self.issuer)?.into();
        Ok(PckCertificate { leaf, serial, issuer_chain_pem })
    }
}

/// The fields common to all certificates in a role.
fn template(role: Role, profile: &CertificateProfile) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = profile.names.of(role)?;
    params.not_before = profile.created;
    params.not_after = role.end(profile.created);
    params.is_ca = role.basic_constraints();
    params.key_usages = role.key_usages();
    let uris = vec![role.crl_url(&profile.pcs_url)];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A serial number that is the issuer's own for this key and content: 20 bytes, big-endian,
/// positive and without leading zeros.
fn serial(issuer: &impl PublicKeyData, subject: &impl PublicKeyData, content: &[u8]) -> [u8; 20] {
    let hash = sha256(&[issuer.der_bytes(), subject.der_bytes(), content]);
    let mut serial = [0; 20];
    for (byte, hashed) in serial.iter_mut().zip(hash) {
        *byte = hashed;
    }
    serial[0] = (serial[0] & 0x3f) | 0x40;
    serial
}
