//! What clients send: JSON in the form of a PCCS. Fields that are not known are passed over, as a PCCS does.

use std::fmt;

use collateral::PckTcb;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sgx::CpuSvn;

use crate::platform_store::{PlatformKey, Registration};
use crate::refusal::Refusal;

/// The largest platform manifest, in bytes: what a PCCS can keep in its database.
const MAX_MANIFEST: usize = 65_535;

/// A platform, as it is sent both ways.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PlatformForm {
    qe_id: String,
    pce_id: String,
    cpu_svn: Option<String>,
    pce_svn: Option<String>,
    enc_ppid: Option<String>,
    platform_manifest: Option<String>,
}

/// The body of `PUT platformcollateral`.
#[derive(Deserialize)]
pub(super) struct PlatformCollateralForm {
    pub(super) platforms: Vec<PlatformForm>,
    pub(super) collaterals: CollateralsForm,
}

#[derive(Deserialize)]
pub(super) struct CollateralsForm {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    pub(super) pck_certs: Vec<PckCertsForm>,
    pub(super) tcbinfos: Vec<TcbInfosForm>,
    #[serde(default)]
    pub(super) pckcacrl: PckCrlsForm,
    pub(super) qeidentity: Option<String>,
    pub(super) qeidentity_early: Option<String>,
    pub(super) tdqeidentity: Option<String>,
    pub(super) tdqeidentity_early: Option<String>,
    pub(super) qveidentity: Option<String>,
    pub(super) qveidentity_early: Option<String>,
    pub(super) certificates: CertificatesForm,
    /// Hexadecimal DER.
    pub(super) rootcacrl: Option<String>,
}

/// The PCK certificates of a platform.
#[derive(Deserialize)]
pub(super) struct PckCertsForm {
    qe_id: String,
    pce_id: String,
    enc_ppid: String,
    platform_manifest: Option<String>,
    pub(super) certs: Vec<PckCertForm>,
}

#[derive(Deserialize)]
pub(super) struct PckCertForm {
    #[serde(rename = "tcb")]
    _tcb: IgnoredAny,
    #[serde(rename = "tcbm")]
    _tcbm: String,
    /// URL-encoded PEM.
    pub(super) cert: String,
}

/// The TCB infos of a kind of platform.
#[derive(Deserialize)]
pub(super) struct TcbInfosForm {
    pub(super) fmspc: String,
    pub(super) sgx_tcbinfo: Option<Box<RawValue>>,
    pub(super) sgx_tcbinfo_early: Option<Box<RawValue>>,
    pub(super) tdx_tcbinfo: Option<Box<RawValue>>,
    pub(super) tdx_tcbinfo_early: Option<Box<RawValue>>,
}

/// Hexadecimal DER.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PckCrlsForm {
    pub(super) processor_crl: Option<String>,
    pub(super) platform_crl: Option<String>,
}

/// Issuer chains, as URL-encoded PEM.
#[derive(Deserialize)]
pub(super) struct CertificatesForm {
    #[serde(rename = "SGX-PCK-Certificate-Issuer-Chain")]
    pub(super) pck: PckChainsForm,
    // The second name is that of version 3 of the API.
    #[serde(rename = "TCB-Info-Issuer-Chain", alias = "SGX-TCB-Info-Issuer-Chain")]
    pub(super) tcb_info: Option<String>,
    #[serde(rename = "SGX-Enclave-Identity-Issuer-Chain")]
    pub(super) identity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) struct PckChainsForm {
    pub(super) processor: Option<String>,
    pub(super) platform: Option<String>,
}

impl PlatformForm {
    pub(super) fn new(registration: &Registration) -> Self {
        let tcb = registration.tcb;
        let digits = |bytes: &[u8]| Some(hex::encode_upper(bytes));
        let some = |digits: Option<String>| digits.or(Some(String::new()));
        Self {
            qe_id: hex::encode_upper(registration.platform.qe_id),
            pce_id: hex::encode_upper(registration.platform.pce_id),
            cpu_svn: some(tcb.and_then(|tcb| digits(&tcb.cpu_svn.0))),
            pce_svn: some(tcb.and_then(|tcb| digits(&tcb.pce_svn.to_le_bytes()))),
            enc_ppid: digits(&registration.encrypted_ppid),
            platform_manifest: digits(&registration.manifest),
        }
    }

    /// The platform, at a TCB if it says one.
    pub(super) fn platform(&self) -> Result<(PlatformKey, Option<PckTcb>), Refusal> {
        let key = key(&self.qe_id, &self.pce_id)?;
        let cpu_svn = optional("cpu_svn", self.cpu_svn.as_deref())?;
        let pce_svn = optional("pce_svn", self.pce_svn.as_deref())?;
        let tcb = cpu_svn.zip(pce_svn).map(|(cpu_svn, pce_svn)| PckTcb {
            cpu_svn: CpuSvn(cpu_svn),
            pce_svn: u16::from_le_bytes(pce_svn),
        });
        Ok((key, tcb))
    }

    /// The registration: with a manifest nothing else counts, else all of it is needed.
    pub(super) fn registration(&self) -> Result<Registration, Refusal> {
        let (platform, tcb) = self.platform()?;
        let manifest = manifest(self.platform_manifest.as_deref())?;
        if !manifest.is_empty() {
            return Ok(Registration { platform, tcb: None, encrypted_ppid: Vec::new(), manifest });
        }
        let ppid: Option<[u8; 384]> = optional("enc_ppid", self.enc_ppid.as_deref())?;
        let (Some(tcb), Some(ppid)) = (tcb, ppid) else {
            return Err(Refusal::invalid(
                "without platform_manifest, cpu_svn, pce_svn and enc_ppid are all needed",
            ));
        };
        Ok(Registration { platform, tcb: Some(tcb), encrypted_ppid: ppid.to_vec(), manifest })
    }
}

impl PckCertsForm {
    /// The platform of the certificates, and how Intel's PCS knows it.
    pub(super) fn registration(&self) -> Result<Registration, Refusal> {
        let ppid: Option<[u8; 384]> = optional("enc_ppid", Some(&self.enc_ppid))?;
        Ok(Registration {
            platform: key(&self.qe_id, &self.pce_id)?,
            tcb: None,
            encrypted_ppid: ppid.map(|ppid| ppid.to_vec()).unwrap_or_default(),
            manifest: manifest(self.platform_manifest.as_deref())?,
        })
    }
}

/// JSON in the form that is asked for.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::Invalid(format!("the body is not what it should be: {error}")))
}

/// So many bytes, as twice as many hexadecimal digits.
pub(super) fn fixed<const N: usize>(
    name: impl fmt::Display,
    digits: &str,
) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    let wrong = |_| {
        let count = N.saturating_mul(2);
        Refusal::Invalid(format!("{name} must have {count} hexadecimal digits"))
    };
    hex::decode_to_slice(digits, &mut bytes).map_err(wrong)?;
    Ok(bytes)
}

/// The same where empty counts as missing.
fn optional<const N: usize>(name: &str, digits: Option<&str>) -> Result<Option<[u8; N]>, Refusal> {
    digits.filter(|digits| !digits.is_empty()).map(|digits| fixed(name, digits)).transpose()
}

fn key(qe_id: &str, pce_id: &str) -> Result<PlatformKey, Refusal> {
    Ok(PlatformKey { qe_id: fixed("qe_id", qe_id)?, pce_id: fixed("pce_id", pce_id)? })
}

fn manifest(digits: Option<&str>) -> Result<Vec<u8>, Refusal> {
    let manifest = hex::decode(digits.unwrap_or_default())
        .map_err(|_| Refusal::invalid("platform_manifest must have hexadecimal digits"))?;
    if manifest.len() > MAX_MANIFEST {
        let problem = format!("platform_manifest has more than {MAX_MANIFEST} bytes");
        return Err(Refusal::Invalid(problem));
    }
    Ok(manifest)
}
