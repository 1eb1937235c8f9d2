//! Query strings: parsed into typed requests here, or rejected here.
//!
//! Hexadecimal digits and words count in either case. Unknown parameters are ignored, as PCS and
//! PCCS do.

use hex::FromHex;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sgx::CpuSvn;

use collateral::{PckCertificateRequest, TcbUpdate};

use crate::api::ApiError;
use crate::platform_name::PlatformName;

/// The query of `pckcert`.
#[derive(Deserialize)]
pub(crate) struct PckCertQuery {
    #[serde(deserialize_with = "qe_id")]
    qeid: [u8; 16],
    #[serde(default, deserialize_with = "optional_hex")]
    encrypted_ppid: Option<Box<[u8; 384]>>,
    #[serde(with = "hex")]
    cpusvn: [u8; 16],
    #[serde(with = "hex")]
    pcesvn: [u8; 2],
    #[serde(with = "hex")]
    pceid: [u8; 2],
}

impl From<PckCertQuery> for PckCertificateRequest {
    fn from(query: PckCertQuery) -> Self {
        Self {
            qe_id: query.qeid,
            encrypted_ppid: query.encrypted_ppid,
            cpu_svn: CpuSvn(query.cpusvn),
            pce_svn: u16::from_le_bytes(query.pcesvn),
            pce_id: query.pceid,
        }
    }
}

/// The query of `tcb`.
#[derive(Deserialize)]
pub(crate) struct TcbQuery {
    #[serde(with = "hex")]
    pub(crate) fmspc: [u8; 6],
}

/// The TCB evaluation in the query of `tcb` and `qe/identity`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvaluationQuery {
    #[serde(default, deserialize_with = "update")]
    update: Option<TcbUpdate>,
    tcb_evaluation_data_number: Option<u32>,
}

impl EvaluationQuery {
    /// The requested set.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when both parameters are given.
    pub(crate) fn set(&self) -> Result<TcbUpdate, ApiError> {
        match (self.update, self.tcb_evaluation_data_number) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("give update or tcbEvaluationDataNumber, not both"))
            }
            (Some(set), None) => Ok(set),
            (None, Some(number)) => Ok(TcbUpdate::Number(number)),
            (None, None) => Ok(TcbUpdate::Standard),
        }
    }
}

fn qe_id<'de, D: Deserializer<'de>>(value: D) -> Result<[u8; 16], D::Error> {
    let name = PlatformName::parse(&String::deserialize(value)?);
    name.map(|name| name.qe_id()).map_err(Error::custom)
}

fn optional_hex<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<[u8; 384]>>, D::Error> {
    let digits = String::deserialize(value)?;
    if digits.is_empty() {
        return Ok(None);
    }
    <[u8; 384]>::from_hex(digits).map(Box::new).map(Some).map_err(Error::custom)
}

fn update<'de, D: Deserializer<'de>>(value: D) -> Result<Option<TcbUpdate>, D::Error> {
    match String::deserialize(value)?.to_ascii_lowercase().as_str() {
        "standard" => Ok(Some(TcbUpdate::Standard)),
        "early" => Ok(Some(TcbUpdate::Early)),
        _ => Err(Error::custom("expected standard or early")),
    }
}
