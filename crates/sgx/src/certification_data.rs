//! Certification data: the PCK certificate of a quote, or a reference to it.

use std::fmt;

use crate::describe::display_description;
use crate::{CpuSvn, Describe, Description};

/// The PCK certificate, or a reference to it.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificationData {
    /// The type of `data`.
    pub data_type: CertificationDataType,
    /// The data itself.
    pub data: Vec<u8>,
}

/// Type of the certification data, 2 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificationDataType(pub u16);

/// Certification data of type 1, 2 or 3: the platform and TCB whose PCK certificate a PCS or a PCCS
/// provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PckReference<'a> {
    /// PPID: 16 bytes in the clear, 256 encrypted with RSA-2048-OAEP, 384 with RSA-3072-OAEP.
    pub ppid: &'a [u8],
    /// CPUSVN that the PCK is derived for.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE that the PCK is derived for.
    pub pce_svn: u16,
    /// PCE id, 2 bytes, little-endian. Types 1 and 2 may lack it.
    pub pce_id: Option<[u8; 2]>,
}

impl CertificationDataType {
    /// PPID in the clear (16 bytes), CPUSVN (16), PCESVN (2), PCE id (2).
    pub const PPID_CLEAR: Self = Self(1);
    /// PPID encrypted with RSA-2048-OAEP (256 bytes), CPUSVN (16), PCESVN (2), PCE id (2).
    pub const PPID_RSA2048_ENCRYPTED: Self = Self(2);
    /// PPID encrypted with RSA-3072-OAEP (384 bytes), CPUSVN (16), PCESVN (2), PCE id (2).
    pub const PPID_RSA3072_ENCRYPTED: Self = Self(3);
    /// PCK certificate.
    pub const PCK_CERTIFICATE: Self = Self(4);
    /// PCK certificate chain as PEM: leaf, intermediate, root.
    pub const PCK_CERTIFICATE_CHAIN: Self = Self(5);
    /// QE report, its signature, authentication data and certification data of another type, in
    /// quotes of version 4 and 5.
    pub const QE_REPORT: Self = Self(6);
    /// Platform manifest.
    pub const PLATFORM_MANIFEST: Self = Self(7);

    /// The type in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PPID_CLEAR => "PPID in the clear",
            Self::PPID_RSA2048_ENCRYPTED => "PPID encrypted with RSA-2048",
            Self::PPID_RSA3072_ENCRYPTED => "PPID encrypted with RSA-3072",
            Self::PCK_CERTIFICATE => "PCK certificate",
            Self::PCK_CERTIFICATE_CHAIN => "PCK certificate chain",
            Self::QE_REPORT => "QE report certification data",
            Self::PLATFORM_MANIFEST => "platform manifest",
            _ => "unknown type",
        }
    }

    /// Size of the PPID in bytes, for the types that have one.
    fn ppid_size(self) -> Option<usize> {
        match self {
            Self::PPID_CLEAR => Some(16),
            Self::PPID_RSA2048_ENCRYPTED => Some(256),
            Self::PPID_RSA3072_ENCRYPTED => Some(384),
            _ => None,
        }
    }
}

impl fmt::Display for CertificationDataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

impl CertificationData {
    /// Reads data of type 1, 2 or 3; `None` for other types and wrong sizes.
    #[must_use]
    pub fn pck_reference(&self) -> Option<PckReference<'_>> {
        let (ppid, rest) = self.data.split_at_checked(self.data_type.ppid_size()?)?;
        let (cpu_svn, rest) = rest.split_first_chunk()?;
        let (pce_svn, rest) = rest.split_first_chunk()?;
        let pce_id = match (rest, self.data_type) {
            ([], CertificationDataType::PPID_RSA3072_ENCRYPTED) => return None,
            ([], _) => None,
            (rest, _) => Some(rest.try_into().ok()?),
        };
        let pce_svn = u16::from_le_bytes(*pce_svn);
        Some(PckReference { ppid, cpu_svn: CpuSvn(*cpu_svn), pce_svn, pce_id })
    }
}

impl Describe for CertificationData {
    fn describe(&self) -> Description {
        let description = Description::default().text("type", self.data_type);
        if let Some(reference) = self.pck_reference() {
            return description.extend(reference.describe());
        }
        let size = self.data.len();
        if self.data_type == CertificationDataType::PLATFORM_MANIFEST {
            return description.text("size", format_args!("{size} bytes"));
        }
        let description = match self.data_type.ppid_size() {
            Some(_) => description
                .text("unreadable", format_args!("wrong size for this type: {size} bytes")),
            None => description,
        };
        match std::str::from_utf8(&self.data) {
            Ok(text) if text.starts_with("-----BEGIN ") => {
                description.block("data", text.trim_end_matches(['\0', '\n']).to_owned())
            }
            _ => description.bytes("data", &self.data),
        }
    }
}

impl Describe for PckReference<'_> {
    fn describe(&self) -> Description {
        let is_clear = self.ppid.len() == 16;
        let description = Description::default()
            .bytes(if is_clear { "PPID" } else { "encrypted PPID" }, self.ppid)
            .bytes("CPUSVN", &self.cpu_svn.0)
            .text("PCESVN", self.pce_svn);
        match &self.pce_id {
            Some(pce_id) => description.bytes("PCE id", pce_id),
            None => description,
        }
    }
}

display_description!(CertificationData);
