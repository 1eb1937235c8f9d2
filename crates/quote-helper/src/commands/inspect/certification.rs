//! The certification data of a quote, decoded. Nothing in it is verified.

use serde::Serialize;
use sgx::{CertificationData, CertificationDataType, Describe, Description};
use verify::{CollateralError, SgxExtension, SgxType};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;

use super::Encode;

const SGX_EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

const PEM_BEGIN: &str = "-----BEGIN ";

/// The fields of the certification data, with each certificate, and its PEM on request. An
/// unreadable certificate is described by the reason.
pub(super) fn describe(data: &CertificationData, with_pem: bool) -> Description {
    let Some(certificates) = certificates(data) else { return data.describe() };
    let description = Description::default().text("type", data.data_type);
    if certificates.is_empty() {
        return description.text("unreadable", "no certificate in PEM").bytes("data", &data.data);
    }
    let certificates = certificates.iter().map(|certificate| certificate.describe(with_pem));
    description.list("certificates", certificates.collect())
}

/// The certificates as PEM, unreadable ones unchanged; `None` if the data has none.
pub(super) fn pem(data: &CertificationData) -> Option<String> {
    let certificates = certificates(data)?;
    Some(certificates.iter().map(CarriedCertificate::pem).collect())
}

/// A certificate in the form that the quote has.
enum CarriedCertificate {
    /// From `-----BEGIN ` on.
    Pem(String),
    Der(Vec<u8>),
}

/// The certificates in data of type 4 and 5; `None` for other types.
fn certificates(data: &CertificationData) -> Option<Vec<CarriedCertificate>> {
    let text = String::from_utf8_lossy(&data.data);
    let sections = text.split(PEM_BEGIN).skip(1);
    let sections: Vec<CarriedCertificate> = sections.map(CarriedCertificate::section).collect();
    match data.data_type {
        CertificationDataType::PCK_CERTIFICATE if sections.is_empty() => {
            Some(vec![CarriedCertificate::Der(data.data.clone())])
        }
        CertificationDataType::PCK_CERTIFICATE | CertificationDataType::PCK_CERTIFICATE_CHAIN => {
            Some(sections)
        }
        _ => None,
    }
}

impl CarriedCertificate {
    /// The text after `-----BEGIN `. Some quotes have a zero byte after the last certificate.
    fn section(section: &str) -> Self {
        Self::Pem(format!("{PEM_BEGIN}{}", section.trim_end_matches(['\0', '\n', '\r'])))
    }

    fn der(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Pem(pem) => pem::parse(pem)
                .map(pem::Pem::into_contents)
                .map_err(|_| "not a certificate in PEM".to_owned()),
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
        let description = match self.der().and_then(|der| CertificateContents::read(&der)) {
            Ok(contents) => contents.describe(),
            Err(reason) => Description::default().text("unreadable", reason),
        };
        if with_pem { description.block("PEM", self.pem()) } else { description }
    }

    fn fields(&self, encode: Encode<'_>) -> CertificateFields {
        let contents = self.der().and_then(|der| CertificateContents::read(&der));
        let unreadable = contents.as_ref().err().cloned();
        let contents = contents.ok();
        let extension = contents.as_ref().and_then(|contents| contents.extension.as_ref());
        CertificateFields {
            subject: contents.as_ref().map(|contents| contents.subject.clone()),
            issuer: contents.as_ref().map(|contents| contents.issuer.clone()),
            serial_number: contents.as_ref().map(|contents| encode(&contents.serial)),
            valid_from: contents.as_ref().map(|contents| contents.valid_from.clone()),
            valid_until: contents.as_ref().map(|contents| contents.valid_until.clone()),
            sgx_extension: extension
                .and_then(|extension| extension.as_ref().ok())
                .map(|extension| SgxExtensionFields::new(extension, encode)),
            unreadable: unreadable
                .or_else(|| extension.and_then(|extension| extension.as_ref().err().cloned())),
            pem: self.pem(),
        }
    }
}

/// The contents of a certificate.
struct CertificateContents {
    subject: String,
    issuer: String,
    serial: Vec<u8>,
    /// RFC 3339.
    valid_from: String,
    valid_until: String,
    /// `None` without the extension; an error if it is unreadable.
    extension: Option<Result<SgxExtension, String>>,
}

impl CertificateContents {
    /// Reads a certificate in DER.
    fn read(der: &[u8]) -> Result<Self, String> {
        let certificate = Certificate::from_der(der);
        let certificate = certificate.map_err(|_| "not an X.509 certificate".to_owned())?;
        let certificate = certificate.tbs_certificate();
        let serial = certificate.serial_number().as_bytes();
        // A leading zero byte keeps the number positive.
        let serial = serial.strip_prefix(&[0]).unwrap_or(serial);
        let validity = certificate.validity();
        let mut extensions = certificate.extensions().into_iter().flatten();
        let has_extension = extensions.any(|extension| extension.extn_id == SGX_EXTENSION);
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: serial.to_vec(),
            valid_from: validity.not_before.to_date_time().to_string(),
            valid_until: validity.not_after.to_date_time().to_string(),
            extension: has_extension.then(|| read_extension(der)),
        })
    }

    fn describe(&self) -> Description {
        let description = Description::default()
            .text("subject", &self.subject)
            .text("issuer", &self.issuer)
            .bytes("serial number", &self.serial)
            .text("valid from", &self.valid_from)
            .text("valid until", &self.valid_until);
        match &self.extension {
            None => description,
            Some(Ok(extension)) => description.fields("SGX extension", extension),
            Some(Err(reason)) => description.text("SGX extension", reason),
        }
    }
}

fn read_extension(der: &[u8]) -> Result<SgxExtension, String> {
    SgxExtension::read(der).map_err(|error| match error {
        CollateralError::Unreadable { reason, .. } => format!("unreadable: {reason}"),
        error => error.to_string(),
    })
}

/// Certification data in JSON, with the members of its type.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Certification {
    /// 1 to 7.
    #[serde(rename = "type")]
    data_type: u16,
    /// The type in words.
    type_name: String,
    /// 16 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    ppid: Option<String>,
    /// 256 or 384 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted_ppid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_svn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pce_svn: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pce_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<CertificateFields>,
    /// The data itself, if it is none of the above.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

/// A certificate in JSON; unreadable fields are null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CertificateFields {
    subject: Option<String>,
    issuer: Option<String>,
    serial_number: Option<String>,
    /// RFC 3339, UTC.
    valid_from: Option<String>,
    valid_until: Option<String>,
    /// Of a PCK certificate.
    sgx_extension: Option<SgxExtensionFields>,
    /// The reason for null fields.
    unreadable: Option<String>,
    pem: String,
}

/// The platform of a PCK certificate in JSON. A feature that is not stated is null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SgxExtensionFields {
    fmspc: String,
    ppid: String,
    pce_id: String,
    cpu_svn: String,
    pce_svn: u16,
    tcb_components: [u8; 16],
    /// 0: standard, 1: scalable, 2: scalable with integrity.
    sgx_type: u64,
    platform_instance_id: Option<String>,
    dynamic_platform: Option<bool>,
    cached_keys: Option<bool>,
    smt: Option<bool>,
}

impl SgxExtensionFields {
    fn new(extension: &SgxExtension, encode: Encode<'_>) -> Self {
        Self {
            fmspc: encode(&extension.fmspc),
            ppid: encode(&extension.ppid),
            pce_id: encode(&extension.pce_id),
            cpu_svn: encode(&extension.cpu_svn.0),
            pce_svn: extension.pce_svn,
            tcb_components: extension.tcb_components,
            sgx_type: match extension.sgx_type {
                SgxType::Standard => 0,
                SgxType::Scalable => 1,
                SgxType::ScalableWithIntegrity => 2,
                SgxType::Unknown(number) => number,
            },
            platform_instance_id: extension.platform_instance_id.map(|id| encode(&id)),
            dynamic_platform: extension.features.dynamic_platform,
            cached_keys: extension.features.cached_keys,
            smt: extension.features.smt,
        }
    }
}

/// The fields of certification data for programs.
pub(super) fn certification(data: &CertificationData, encode: Encode<'_>) -> Certification {
    let data_type = data.data_type.0;
    let of_type = Certification {
        data_type,
        type_name: data.data_type.name().to_owned(),
        ..Certification::default()
    };
    if let Some(reference) = data.pck_reference() {
        let ppid = Some(encode(reference.ppid));
        let is_clear = data.data_type == CertificationDataType::PPID_CLEAR;
        let (ppid, encrypted_ppid) = if is_clear { (ppid, None) } else { (None, ppid) };
        return Certification {
            ppid,
            encrypted_ppid,
            cpu_svn: Some(encode(&reference.cpu_svn.0)),
            pce_svn: Some(reference.pce_svn),
            pce_id: reference.pce_id.map(|id| encode(&id)),
            ..of_type
        };
    }
    match certificates(data).filter(|certificates| !certificates.is_empty()) {
        Some(found) => Certification {
            certificates: found.iter().map(|certificate| certificate.fields(encode)).collect(),
            ..of_type
        },
        None => Certification { data: Some(encode(&data.data)), ..of_type },
    }
}
