//! One certificate and its relation to its issuer.

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_cert::TbsCertificate;
use x509_cert::der::{self, Decode, Header, Reader, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::serial_number::SerialNumber;

use super::{CollateralError, Validity};
use crate::signatures::signed_by_der;

/// A parsed certificate, otherwise unchecked.
pub(super) struct Certificate {
    der: CertificateDer<'static>,
    parsed: x509_cert::Certificate,
}

impl Certificate {
    /// Reads PEM that holds `N` certificates and nothing else.
    pub(super) fn parse_pem<const N: usize>(
        what: &str,
        pem: &[u8],
    ) -> Result<[Self; N], CollateralError> {
        let unreadable = |reason: &str| CollateralError::unreadable(what, reason);
        let sections = pem::parse_many(pem).map_err(|_| unreadable("its PEM is damaged"))?;
        let certificates: Vec<Vec<u8>> =
            sections.into_iter().map(pem::Pem::into_contents).collect();
        if certificates.len() != N {
            let found = certificates.len();
            return Err(unreadable(&format!("it has {found} certificates instead of {N}")));
        }
        if !same_but_for_white_space(&encode_pem(&certificates), pem) {
            return Err(unreadable("it has other contents than PEM certificates"));
        }
        let parsed = certificates.into_iter().map(|der| Self::parse(what, der));
        let parsed: Vec<Self> = parsed.collect::<Result<_, _>>()?;
        parsed.try_into().map_err(|_| unreadable("it has another number of certificates"))
    }

    pub(super) fn parse(what: &str, der: Vec<u8>) -> Result<Self, CollateralError> {
        let parsed = x509_cert::Certificate::from_der(&der).map_err(|_| {
            CollateralError::unreadable(what, "a certificate is damaged or truncated")
        })?;
        let der = CertificateDer::from(der);
        // Refuses unknown critical extensions, and a signature algorithm other than the signed one.
        EndEntityCert::try_from(&der).map_err(|_| {
            let reason = "a certificate has an unsupported extension or signature";
            CollateralError::unreadable(what, reason)
        })?;
        Ok(Self { der, parsed })
    }

    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    pub(super) fn fields(&self) -> &TbsCertificate {
        self.parsed.tbs_certificate()
    }

    /// The common name of the subject, empty if there is none.
    pub(super) fn common_name(&self) -> String {
        let name = self.fields().subject().common_name();
        name.ok().flatten().map(|name| name.value().into_owned()).unwrap_or_default()
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
        let sha256 = hex::encode(<DefaultConfig as Config>::Crypto::sha256(&self.der));
        let root = format!("{}, SHA-256 {sha256}", self.fields().subject());
        CollateralError::UntrustedRoot { what: what.to_owned(), root }
    }

    /// True if it is its own issuer by name, as roots are.
    pub(super) fn is_self_issued(&self) -> bool {
        self.fields().subject() == self.fields().issuer()
    }

    /// True if both have the same name and key: editions of one authority.
    pub(super) fn is_same_authority(&self, other: &Self) -> bool {
        let (own, others) = (self.fields(), other.fields());
        own.subject() == others.subject()
            && own.subject_public_key_info() == others.subject_public_key_info()
    }

    /// True if `issuer` signed this certificate, and is a CA.
    pub(super) fn is_issued_by(&self, issuer: &Self) -> bool {
        let signature = self.parsed.signature().as_bytes();
        let signed = signed_part(&self.der).ok().zip(signature);
        self.fields().issuer() == issuer.fields().subject()
            && issuer.may_sign_certificates()
            && signed
                .is_some_and(|(message, signature)| signed_by_der(&issuer.der, message, signature))
    }

    fn may_sign_certificates(&self) -> bool {
        let constraints = self.fields().get_extension::<BasicConstraints>().ok().flatten();
        constraints.is_some_and(|(_, constraints)| constraints.ca)
            && self.key_usage().is_some_and(|usage| usage.key_cert_sign())
    }

    pub(super) fn may_sign_crls(&self) -> bool {
        self.key_usage().is_some_and(|usage| usage.crl_sign())
    }

    fn key_usage(&self) -> Option<KeyUsage> {
        let usage = self.fields().get_extension::<KeyUsage>().ok().flatten();
        usage.map(|(_, usage)| usage)
    }
}

/// A serial number without the zero byte that keeps it positive.
pub(super) fn unsigned(serial: &SerialNumber) -> Vec<u8> {
    let zeros = |byte: &&u8| **byte == 0;
    serial.as_bytes().iter().skip_while(zeros).copied().collect()
}

fn encode_pem(certificates: &[Vec<u8>]) -> String {
    let section = |der: &Vec<u8>| pem::encode(&pem::Pem::new("CERTIFICATE", der.as_slice()));
    certificates.iter().map(section).collect()
}

fn same_but_for_white_space(text: &str, other: &[u8]) -> bool {
    let visible = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    visible(text.as_bytes()) == visible(other)
}

/// The bytes of a certificate that its signature is over: the first of its three parts.
fn signed_part(certificate: &[u8]) -> der::Result<&[u8]> {
    let mut reader = SliceReader::new(certificate)?;
    Header::decode(&mut reader)?;
    reader.tlv_bytes()
}
