//! Certificates as they are handed out.

/// An X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    pem: String,
}

impl Certificate {
    /// The certificate's bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM, with a line feed at the end of each line.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl From<rcgen::Certificate> for Certificate {
    fn from(certificate: rcgen::Certificate) -> Self {
        Self { der: certificate.der().to_vec(), pem: certificate.pem() }
    }
}

/// A PCK certificate: by it the PCE of one platform, at one TCB, certifies the QE's attestation
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCertificate {
    pub(crate) leaf: Certificate,
    pub(crate) serial: [u8; 20],
    pub(crate) issuer_chain_pem: String,
}

impl PckCertificate {
    /// The PCK certificate itself.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// Its serial number, 20 bytes, big-endian: by it the certificate is revoked.
    #[must_use]
    pub fn serial(&self) -> &[u8; 20] {
        &self.serial
    }

    /// PEM: the platform CA's certificate, then the root's.
    #[must_use]
    pub fn issuer_chain_pem(&self) -> &str {
        &self.issuer_chain_pem
    }

    /// PEM: the PCK certificate, the platform CA's, the root's; certification data of type 5.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        [self.leaf.pem(), &self.issuer_chain_pem].concat()
    }
}
