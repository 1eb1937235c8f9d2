//! One certificate and its relation to its issuer.

use std::sync::OnceLock;

use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_cert::TbsCertificate;
use x509_cert::der::oid::db::rfc4519::{
    COMMON_NAME, COUNTRY_NAME, LOCALITY_NAME, ORGANIZATION_NAME, ST,
};
use x509_cert::der::oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_EC_PUBLIC_KEY, SECP_256_R_1};
use x509_cert::der::{self, Decode, Encode, Header, Reader, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, ObjectIdentifier};

use super::{CollateralError, Validity};
use crate::signatures::{PublicKey, sha256};

/// The name and key of an authority: SHA-256 of both, 32 bytes. Editions of its certificate share
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthorityId([u8; 32]);

/// A parsed certificate, otherwise unchecked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    parsed: x509_cert::Certificate,
    /// Filled when it is asked for.
    subject: OnceLock<String>,
}

impl Certificate {
    pub(crate) fn parse(what: &str, der: Vec<u8>) -> Result<Self, CollateralError> {
        let parsed = x509_cert::Certificate::from_der(&der).map_err(|_| {
            CollateralError::unreadable(what, "a certificate is damaged or truncated")
        })?;
        let der = CertificateDer::from(der);
        // Refuses unknown critical extensions, and a signature algorithm other than the signed one.
        EndEntityCert::try_from(&der).map_err(|_| {
            let reason = "a certificate has an unsupported extension or signature";
            CollateralError::unreadable(what, reason)
        })?;
        Ok(Self { der, parsed, subject: OnceLock::new() })
    }

    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The public key; `None` unless it is one on P-256.
    pub(crate) fn key(&self) -> Option<PublicKey> {
        let info = self.fields().subject_public_key_info();
        let curve = info.algorithm.parameters.as_ref();
        let curve = curve.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        (info.algorithm.oid == ID_EC_PUBLIC_KEY && curve == Some(SECP_256_R_1))
            .then(|| PublicKey::from_point(info.subject_public_key.raw_bytes()))
            .flatten()
    }

    pub(crate) fn fields(&self) -> &TbsCertificate {
        self.parsed.tbs_certificate()
    }

    /// The subject (RFC 4514).
    pub(crate) fn subject(&self) -> &str {
        self.subject.get_or_init(|| self.fields().subject().to_string())
    }

    /// SHA-256 of the DER.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        sha256([&self.der])
    }

    /// The common name of the subject, empty if there is none.
    pub(super) fn common_name(&self) -> String {
        common_name(self.fields().subject())
    }

    /// The common name of the issuer, empty if there is none.
    pub(super) fn issuer_common_name(&self) -> String {
        common_name(self.fields().issuer())
    }

    /// True if the subject is of Intel, with one common name and nothing else.
    pub(super) fn is_of_intel(&self) -> bool {
        const OTHERS: [(ObjectIdentifier, &[u8]); 4] = [
            (ORGANIZATION_NAME, b"Intel Corporation"),
            (LOCALITY_NAME, b"Santa Clara"),
            (ST, b"CA"),
            (COUNTRY_NAME, b"US"),
        ];
        let subject = self.fields().subject();
        let mut attributes = subject.iter().map(|it| (it.oid, it.value.value()));
        subject.iter_rdn().all(|part| part.len() == 1)
            && attributes.next().is_some_and(|(id, _)| id == COMMON_NAME)
            && attributes.eq(OTHERS)
    }

    /// The serial number, big-endian.
    pub(super) fn serial(&self) -> Vec<u8> {
        unsigned(self.fields().serial_number())
    }

    pub(super) fn validity(&self) -> Validity {
        let validity = self.fields().validity();
        Validity {
            from: validity.not_before.to_system_time(),
            until: validity.not_after.to_system_time(),
        }
    }

    /// The error that this root is not trusted.
    pub(super) fn untrusted(&self, what: &str) -> CollateralError {
        let root = format!("{}, SHA-256 {}", self.subject(), hex::encode(self.sha256()));
        CollateralError::UntrustedRoot { what: what.to_owned(), root }
    }

    /// True if it is its own issuer by name, as roots are.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.fields().subject() == self.fields().issuer()
    }

    /// True if both have the same name and key: editions of one authority.
    pub(super) fn is_same_authority(&self, other: &Self) -> bool {
        let (own, others) = (self.fields(), other.fields());
        own.subject() == others.subject()
            && own.subject_public_key_info() == others.subject_public_key_info()
    }

    /// The authority whose certificate this is.
    pub(crate) fn authority_id(&self) -> AuthorityId {
        let name = self.fields().subject().to_der().unwrap_or_default();
        let key = self.key();
        AuthorityId(sha256([&name, key.as_ref().map_or(&[], |key| key.point())]))
    }

    /// True if `issuer` signed this certificate, and is a CA.
    pub(super) fn is_issued_by(&self, issuer: &Self) -> bool {
        self.fields().issuer() == issuer.fields().subject()
            && issuer.may_sign_certificates()
            && is_ecdsa_with_sha256(self.parsed.signature_algorithm())
            && issuer.signed(&self.der, self.parsed.signature().as_bytes())
    }

    /// True if this certificate's key signed the first part of a certificate or CRL.
    pub(super) fn signed(&self, der: &[u8], signature: Option<&[u8]>) -> bool {
        let signed = self.key().zip(signed_part(der).ok()).zip(signature);
        signed.is_some_and(|((key, part), signature)| key.signed_der(part, signature))
    }

    /// True for the certificate of a CA.
    pub(super) fn is_ca(&self) -> bool {
        let constraints = self.fields().get_extension::<BasicConstraints>().ok().flatten();
        constraints.is_some_and(|(_, constraints)| constraints.ca)
    }

    fn may_sign_certificates(&self) -> bool {
        self.is_ca() && self.key_usage().is_some_and(|usage| usage.key_cert_sign())
    }

    pub(super) fn may_sign_crls(&self) -> bool {
        self.key_usage().is_some_and(|usage| usage.crl_sign())
    }

    /// The value of an extension; `None` if there is not exactly one.
    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let extensions = self.fields().extensions().into_iter().flatten();
        let mut found = extensions.filter(|extension| extension.extn_id == id);
        found.next().filter(|_| found.next().is_none()).map(|it| it.extn_value.as_bytes())
    }

    fn key_usage(&self) -> Option<KeyUsage> {
        let usage = self.fields().get_extension::<KeyUsage>().ok().flatten();
        usage.map(|(_, usage)| usage)
    }
}

fn common_name(name: &Name) -> String {
    let name = name.common_name().ok().flatten();
    name.map(|name| name.value().into_owned()).unwrap_or_default()
}

/// A serial number without the zero byte that keeps it positive.
pub(super) fn unsigned(serial: &SerialNumber) -> Vec<u8> {
    let zeros = |byte: &&u8| **byte == 0;
    serial.as_bytes().iter().skip_while(zeros).copied().collect()
}

/// True for the only signature algorithm of certificates and CRLs.
pub(super) fn is_ecdsa_with_sha256(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == ECDSA_WITH_SHA_256
}

/// The bytes of a certificate or CRL that its signature is over: the first of its three parts.
fn signed_part(der: &[u8]) -> der::Result<&[u8]> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    reader.tlv_bytes()
}
