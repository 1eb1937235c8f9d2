//! The issuer chains of collateral.

use pem::Pem;
use sgx::Quote3Error;
use verify::{CollateralDates, Validity};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::failure::Failure;

/// Certificates in PEM, in any order, perhaps with text between them.
pub(crate) struct Chain {
    /// The field of the collateral.
    what: &'static str,
    certificates: Vec<(Pem, Certificate)>,
}

impl Chain {
    /// Reads one certificate or more.
    pub(crate) fn read(text: &[u8], what: &'static str) -> Result<Self, Failure> {
        let unreadable = || Failure::Unreadable { what, error: Quote3Error::PCK_CERT_CHAIN_ERROR };
        let read = |section: Pem| {
            let certificate = Certificate::from_der(section.contents()).ok();
            let certificate = certificate.filter(|_| section.tag() == "CERTIFICATE");
            certificate.map(|certificate| (section, certificate)).ok_or_else(unreadable)
        };
        let sections = pem::parse_many(text).map_err(|_| unreadable())?;
        let certificates = sections.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err(unreadable());
        }
        Ok(Self { what, certificates })
    }

    /// In PEM: the two certificates, the root last.
    pub(crate) fn signer_and_root(mut self) -> Result<String, Failure> {
        if self.certificates.len() != 2 {
            let error = Quote3Error::PCK_CERT_UNSUPPORTED_FORMAT;
            return Err(Failure::Unreadable { what: self.what, error });
        }
        self.certificates.sort_by_key(|(_, certificate)| {
            let fields = certificate.tbs_certificate();
            fields.subject() == fields.issuer()
        });
        Ok(self.pem())
    }

    /// In PEM, in their order.
    pub(crate) fn pem(&self) -> String {
        self.certificates.iter().map(|(section, _)| pem::encode(section)).collect()
    }

    /// The dates of all certificates.
    pub(crate) fn dates(&self) -> Result<CollateralDates, Failure> {
        let dates = self.certificates.iter().map(|(_, certificate)| {
            let validity = certificate.tbs_certificate().validity();
            CollateralDates::from(Validity {
                from: validity.not_before.to_system_time(),
                until: validity.not_after.to_system_time(),
            })
        });
        let error = Quote3Error::PCK_CERT_CHAIN_ERROR;
        dates.reduce(CollateralDates::with).ok_or(Failure::Unreadable { what: self.what, error })
    }
}
