//! The signature data of a quote: the signature and the certification of its key.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use crate::quote_reader::Reader;
use crate::{CertificationData, CertificationDataType, Description, QuoteParseError, ReportBody};

/// ECDSA P-256 signature data (`sgx_ql_ecdsa_sig_data_t` of the DCAP API and the data after it).
///
/// The PCK key signs `qe_report`, whose report data binds `attestation_public_key`, which signs the
/// quote. In version 4 and 5 the parts after the attestation key are wrapped as certification data
/// of type 6.
#[derive(Clone, PartialEq, Eq)]
pub struct QuoteSignature {
    /// ECDSA signature of the attestation key over header and body: r ‖ s, big-endian.
    pub signature: [u8; 64],
    /// The attestation key: x ‖ y, big-endian.
    pub attestation_public_key: [u8; 64],
    /// Body of the QE's REPORT; its report data is SHA-256(attestation key ‖ authentication data)
    /// ‖ 32 zero bytes.
    pub qe_report: ReportBody,
    /// ECDSA signature of the PCK key over the QE report: r ‖ s, big-endian.
    pub qe_report_signature: [u8; 64],
    /// Data of the QE, at most 65,535 bytes.
    pub authentication_data: Vec<u8>,
    /// The PCK certificate, or a reference to it.
    pub certification_data: CertificationData,
}

impl QuoteSignature {
    /// Reads the signature data of a quote of this version.
    pub(crate) fn read(version: u16, mut reader: Reader<'_>) -> Result<Self, QuoteParseError> {
        let signature = reader.structure("signature")?;
        let attestation_public_key = reader.structure("attestation key")?;
        if is_wrapped(version) {
            let data_type: U16 = reader.structure("certification data type")?;
            let size: U32 = reader.structure("certification data length")?;
            if data_type != CertificationDataType::QE_REPORT.0 {
                return Err(QuoteParseError::Certification(data_type.get()));
            }
            let inner = reader.part("QE report certification data", size.get() as usize)?;
            reader.end()?;
            reader = inner;
        }
        let qe_report = reader.structure("QE report")?;
        let qe_report_signature = reader.structure("QE report signature")?;
        let size: U16 = reader.structure("authentication data length")?;
        let authentication_data = reader.bytes("authentication data", size.get().into())?.to_vec();
        let data_type: U16 = reader.structure("certification data type")?;
        let size: U32 = reader.structure("certification data length")?;
        let data = reader.bytes("certification data", size.get() as usize)?.to_vec();
        reader.end()?;
        let data_type = CertificationDataType(data_type.get());
        Ok(Self {
            signature,
            attestation_public_key,
            qe_report,
            qe_report_signature,
            authentication_data,
            certification_data: CertificationData { data_type, data },
        })
    }

    /// The bytes of the signature data in a quote of this version.
    pub(crate) fn to_bytes(&self, version: u16) -> Vec<u8> {
        let keys = [self.signature, self.attestation_public_key].concat();
        let certification = self.certification_bytes();
        if !is_wrapped(version) {
            return [keys, certification].concat();
        }
        let data_type = CertificationDataType::QE_REPORT.0.to_le_bytes();
        [&keys, &data_type[..], &with_length(&certification)].concat()
    }

    /// The certification of the attestation key.
    fn certification_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.qe_report.as_bytes());
        bytes.extend(self.qe_report_signature);
        let size = u16::try_from(self.authentication_data.len()).unwrap_or(u16::MAX);
        bytes.extend(size.to_le_bytes());
        bytes.extend(self.authentication_data.iter().take(size.into()));
        bytes.extend(self.certification_data.data_type.0.to_le_bytes());
        bytes.extend(with_length(&self.certification_data.data));
        bytes
    }

    /// The fields, nested as in a quote of this version, with this description of the certification
    /// data.
    pub(crate) fn describe(&self, version: u16, certification: Description) -> Description {
        let keys = Description::default()
            .bytes("signature", &self.signature)
            .bytes("attestation key", &self.attestation_public_key);
        let certified = Description::default()
            .fields("QE report", &self.qe_report)
            .bytes("QE report signature", &self.qe_report_signature)
            .bytes("authentication data", &self.authentication_data)
            .nested("certification data", certification);
        if !is_wrapped(version) {
            return keys.extend(certified);
        }
        let wrapper = Description::default().text("type", CertificationDataType::QE_REPORT);
        keys.nested("certification data", wrapper.extend(certified))
    }
}

/// A part of a quote after its length, 4 bytes, little-endian.
pub(crate) fn with_length(part: &[u8]) -> Vec<u8> {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), part].concat()
}

/// True if the parts after the attestation key are certification data of type 6.
fn is_wrapped(version: u16) -> bool {
    version >= 4
}
