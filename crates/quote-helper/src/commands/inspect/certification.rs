//! The certification data of a quote, decoded. Nothing in it is verified.

use sgx::{CertificationData, CertificationDataType, Describe, Description};
use verify::{CollateralError, SgxExtension};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;

const SGX_EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

const PEM_BEGIN: &str = "-----BEGIN ";

/// The fields of the certification data: certificates one by one, with their PEM if it is asked
/// for. A certificate that cannot be read is described by the reason.
pub(super) fn describe(data: &CertificationData, with_pem: bool) -> Description {
    let Some(certificates) = certificates(data) else { return data.describe() };
    let description = Description::default().text("type", data.data_type);
    if certificates.is_empty() {
        return description
            .text("unreadable", "there is no certificate in PEM")
            .bytes("data", &data.data);
    }
    let certificates = certificates.iter().map(|certificate| certificate.describe(with_pem));
    description.list("certificates", certificates.collect())
}

/// The certificates as PEM, those that cannot be read as they are; `None` when the data holds none.
pub(super) fn pem(data: &CertificationData) -> Option<String> {
    let certificates = certificates(data)?;
    Some(certificates.iter().map(Found::pem).collect())
}

/// A certificate as the quote carries it.
enum Found {
    /// From `-----BEGIN ` on.
    Pem(String),
    Der(Vec<u8>),
}

/// The certificates in data of type 4 and 5; `None` for other types.
fn certificates(data: &CertificationData) -> Option<Vec<Found>> {
    let text = String::from_utf8_lossy(&data.data);
    let sections = text.split(PEM_BEGIN).skip(1);
    let sections: Vec<Found> = sections.map(Found::section).collect();
    match data.data_type {
        CertificationDataType::PCK_CERTIFICATE if sections.is_empty() => {
            Some(vec![Found::Der(data.data.clone())])
        }
        CertificationDataType::PCK_CERTIFICATE | CertificationDataType::PCK_CERTIFICATE_CHAIN => {
            Some(sections)
        }
        _ => None,
    }
}

impl Found {
    /// The text behind `-----BEGIN `. Quotes may have a zero byte after the last certificate.
    fn section(section: &str) -> Self {
        Self::Pem(format!("{PEM_BEGIN}{}", section.trim_end_matches(['\0', '\n', '\r'])))
    }

    fn der(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Pem(pem) => pem::parse(pem)
                .map(pem::Pem::into_contents)
                .map_err(|error| format!("this is no PEM: {error}")),
            Self::Der(der) => Ok(der.clone()),
        }
    }

    /// PEM with line feeds.
    fn pem(&self) -> String {
        let pem = match self {
            Self::Pem(pem) => format!("{pem}\n"),
            Self::Der(der) => pem::encode(&pem::Pem::new("CERTIFICATE", der.as_slice())),
        };
        pem.replace("\r\n", "\n")
    }

    fn describe(&self, with_pem: bool) -> Description {
        let fields = self.der().and_then(|der| fields(&der));
        let description =
            fields.unwrap_or_else(|reason| Description::default().text("unreadable", reason));
        if with_pem { description.block("PEM", self.pem()) } else { description }
    }
}

/// The fields of a certificate in DER, or why it cannot be read.
fn fields(der: &[u8]) -> Result<Description, String> {
    let certificate = Certificate::from_der(der);
    let certificate = certificate.map_err(|error| format!("this is no certificate: {error}"))?;
    let certificate = certificate.tbs_certificate();
    let serial = certificate.serial_number().as_bytes();
    // A zero byte keeps the number positive.
    let serial = serial.strip_prefix(&[0]).unwrap_or(serial);
    let validity = certificate.validity();
    let description = Description::default()
        .text("subject", certificate.subject())
        .text("issuer", certificate.issuer())
        .bytes("serial number", serial)
        .text("valid from", validity.not_before.to_date_time())
        .text("valid until", validity.not_after.to_date_time());
    let mut extensions = certificate.extensions().into_iter().flatten();
    if !extensions.any(|extension| extension.extn_id == SGX_EXTENSION) {
        return Ok(description);
    }
    Ok(match SgxExtension::read(der) {
        Ok(extension) => description.fields("SGX extension", &extension),
        Err(CollateralError::Unreadable { reason, .. }) => {
            description.text("SGX extension", format_args!("unreadable: {reason}"))
        }
        Err(error) => description.text("SGX extension", error),
    })
}
