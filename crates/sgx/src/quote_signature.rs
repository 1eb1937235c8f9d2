//! The signature data of a quote: the signature and the chain of keys behind it.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use crate::describe::display_description;
use crate::quote::{Reader, length};
use crate::{Describe, Description, QuoteParseError, ReportBody};

/// ECDSA P-256 signature data (`sgx_ql_ecdsa_sig_data_t` and what follows it, of the DCAP API).
///
/// PCK key signs `qe_report`, whose report data binds `attestation_public_key`, which signs the quote.
#[derive(Clone, PartialEq, Eq)]
pub struct QuoteSignature {
    /// ECDSA signature of the attestation key over header and report body: r ‖ s, big-endian.
    pub signature: [u8; 64],
    /// The attestation key: x ‖ y, big-endian.
    pub attestation_public_key: [u8; 64],
    /// Body of the QE's REPORT; its report data is SHA-256(attestation key ‖ authentication data)
    /// ‖ 32 zero bytes.
    pub qe_report: ReportBody,
    /// ECDSA signature of the PCK key over the QE report: r ‖ s, big-endian.
    pub qe_report_signature: [u8; 64],
    /// Data of the QE's own, at most 65,535 bytes.
    pub authentication_data: Vec<u8>,
    /// How to find the PCK certificate.
    pub certification_data: CertificationData,
}

/// Certification data: the PCK certificate, or what leads to it.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificationData {
    /// What `data` is.
    pub data_type: CertificationDataType,
    /// The data itself.
    pub data: Vec<u8>,
}

/// Type of the certification data, 2 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificationDataType(pub u16);

impl CertificationDataType {
    /// PPID encrypted with RSA-3072-OAEP (384 bytes), CPUSVN (16), PCESVN (2), PCE id (2).
    pub const PPID_RSA3072_ENCRYPTED: Self = Self(3);
    /// PCK certificate chain as PEM: leaf, intermediate, root.
    pub const PCK_CERTIFICATE_CHAIN: Self = Self(5);

    fn name(self) -> &'static str {
        match self.0 {
            1 => "PPID in the clear",
            2 => "PPID encrypted with RSA-2048",
            3 => "PPID encrypted with RSA-3072",
            4 => "PCK certificate",
            5 => "PCK certificate chain",
            6 => "ECDSA signature auxiliary data",
            7 => "platform manifest",
            _ => "unknown type",
        }
    }
}

impl std::fmt::Display for CertificationDataType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

impl QuoteSignature {
    /// Reads the whole of the signature data.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, QuoteParseError> {
        let signature = reader.structure("signature")?;
        let attestation_public_key = reader.structure("attestation key")?;
        let qe_report = reader.structure("QE report")?;
        let qe_report_signature = reader.structure("QE report signature")?;
        let size: U16 = reader.structure("authentication data length")?;
        let authentication_data = reader.bytes("authentication data", size.get().into())?.to_vec();
        let data_type: U16 = reader.structure("certification data type")?;
        let size: U32 = reader.structure("certification data length")?;
        let data = reader.bytes("certification data", size.get() as usize)?.to_vec();
        reader.end()?;
        Ok(Self {
            signature,
            attestation_public_key,
            qe_report,
            qe_report_signature,
            authentication_data,
            certification_data: CertificationData {
                data_type: CertificationDataType(data_type.get()),
                data,
            },
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.signature);
        bytes.extend(self.attestation_public_key);
        bytes.extend(self.qe_report.as_bytes());
        bytes.extend(self.qe_report_signature);
        let size = u16::try_from(self.authentication_data.len()).unwrap_or(u16::MAX);
        bytes.extend(size.to_le_bytes());
        bytes.extend(self.authentication_data.iter().take(size.into()));
        bytes.extend(self.certification_data.data_type.0.to_le_bytes());
        bytes.extend(length(&self.certification_data.data).as_bytes());
        bytes.extend(&self.certification_data.data);
        bytes
    }
}

impl Describe for QuoteSignature {
    fn describe(&self) -> Description {
        Description::default()
            .bytes("signature", &self.signature)
            .bytes("attestation key", &self.attestation_public_key)
            .fields("QE report", &self.qe_report)
            .bytes("QE report signature", &self.qe_report_signature)
            .bytes("authentication data", &self.authentication_data)
            .fields("certification data", &self.certification_data)
    }
}

impl Describe for CertificationData {
    fn describe(&self) -> Description {
        let description = Description::default().text("type", self.data_type);
        match std::str::from_utf8(&self.data) {
            Ok(text) if text.starts_with("-----BEGIN ") => {
                description.block("data", text.trim_end_matches(['\0', '\n']).to_owned())
            }
            _ => description.bytes("data", &self.data),
        }
    }
}

display_description!(QuoteSignature, CertificationData);
