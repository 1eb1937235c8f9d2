//! Names of items of collateral.

use std::fmt;

use serde::{Deserialize, Serialize};
use sgx::CpuSvn;
use verify::{EnclaveId, PckCa, Tee};

/// An item that a PCS or a PCCS provides. Its [`Display`](fmt::Display) form is its name, which is
/// unique and can be a file name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollateralId {
    /// The PCK certificate of a platform at a TCB.
    PckCertificate(PckCertificateRequest),
    /// The CRL of a PCK CA.
    PckCrl(PckCa),
    /// The CRL of the root.
    RootCaCrl,
    /// The TCB info of a kind of platform.
    TcbInfo {
        /// The kind of TEE.
        tee: Tee,
        /// The kind of platform, 6 bytes.
        #[serde(with = "hex")]
        fmspc: [u8; 6],
        /// The TCB update.
        set: TcbUpdate,
    },
    /// The identity of one of Intel's enclaves.
    EnclaveIdentity {
        /// The enclave.
        enclave: EnclaveId,
        /// The TCB update.
        set: TcbUpdate,
    },
}

/// A request for a PCK certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PckCertificateRequest {
    /// QE_ID, 16 bytes.
    #[serde(with = "hex")]
    pub qe_id: [u8; 16],
    /// PPID, encrypted with RSA-3072-OAEP, 384 bytes. Clients of a PCCS may leave it out. It
    /// differs from one encryption to the next, so it is no part of the item's name.
    #[serde(default, with = "optional_hex", skip_serializing_if = "Option::is_none")]
    pub encrypted_ppid: Option<Box<[u8; 384]>>,
    /// CPUSVN of the platform, 16 bytes.
    #[serde(with = "text")]
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE.
    pub pce_svn: u16,
    /// PCE id, 2 bytes, little-endian.
    #[serde(with = "hex")]
    pub pce_id: [u8; 2],
}

impl PckCertificateRequest {
    /// Tells if it is of the same QE and PCE, at any TCB.
    pub(crate) fn is_of_same_qe(&self, other: &Self) -> bool {
        (self.qe_id, self.pce_id) == (other.qe_id, other.pce_id)
    }
}

/// A TCB evaluation that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TcbUpdate {
    /// The one that all platforms have to meet by now.
    Standard,
    /// The newest one.
    Early,
    /// The one with this TCB evaluation data number.
    Number(u32),
}

impl fmt::Display for CollateralId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PckCertificate(request) => {
                let PckCertificateRequest { qe_id, cpu_svn, pce_svn, pce_id, .. } = request;
                let (qe_id, pce_id) = (hex::encode(qe_id), hex::encode(pce_id));
                write!(f, "pck-certificate-{qe_id}-{cpu_svn}-{pce_svn}-{pce_id}")
            }
            Self::PckCrl(ca) => write!(f, "pck-crl-{ca}"),
            Self::RootCaCrl => f.write_str("root-ca-crl"),
            Self::TcbInfo { tee, fmspc, set } => {
                write!(f, "tcb-info-{}-{}-{set}", lowercase(tee), hex::encode(fmspc))
            }
            Self::EnclaveIdentity { enclave, set } => {
                write!(f, "enclave-identity-{}-{set}", lowercase(enclave))
            }
        }
    }
}

impl CollateralId {
    /// Tells if this could be the name of an item.
    pub(crate) fn is_name(text: &str) -> bool {
        const KINDS: [&str; 5] =
            ["pck-certificate-", "pck-crl-", "root-ca-crl", "tcb-info-", "enclave-identity-"];
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        KINDS.iter().any(|kind| text.starts_with(kind)) && text.bytes().all(is_plain)
    }
}

fn lowercase(id: &impl ToString) -> String {
    id.to_string().to_ascii_lowercase()
}

impl fmt::Display for TcbUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard"),
            Self::Early => f.write_str("early"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

mod optional_hex {
    use hex::FromHex;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Box<[u8; 384]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(bytes) => serializer.serialize_str(&hex::encode(**bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Box<[u8; 384]>>, D::Error> {
        let digits = Option::<String>::deserialize(deserializer)?;
        let bytes = digits.map(<[u8; 384]>::from_hex).transpose().map_err(D::Error::custom)?;
        Ok(bytes.map(Box::new))
    }
}

mod text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use sgx::CpuSvn;

    pub(super) fn serialize<S: Serializer>(
        value: &CpuSvn,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CpuSvn, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
