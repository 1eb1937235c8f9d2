//! A platform in the form of a PCCS, as it is sent both ways.

use collateral::PckTcb;
use serde::{Deserialize, Serialize};
use sgx::CpuSvn;

use super::form::{manifest, optional, platform_key, platform_name};
use crate::api::ApiError;
use crate::platform_name::PlatformName;
use crate::platform_store::{PlatformKey, Registration};

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

impl PlatformForm {
    /// The registration of a platform that is known by this name.
    pub(super) fn new(name: &PlatformName, registration: &Registration) -> Self {
        let tcb = registration.tcb;
        let digits = |bytes: &[u8]| Some(hex::encode_upper(bytes));
        let some = |digits: Option<String>| digits.or(Some(String::new()));
        Self {
            qe_id: name.to_string(),
            pce_id: hex::encode_upper(registration.platform.pce_id),
            cpu_svn: some(tcb.and_then(|tcb| digits(&tcb.cpu_svn.0))),
            pce_svn: some(tcb.and_then(|tcb| digits(&tcb.pce_svn.to_le_bytes()))),
            enc_ppid: digits(&registration.encrypted_ppid),
            platform_manifest: digits(&registration.manifest),
        }
    }

    /// The name of the platform.
    pub(super) fn name(&self) -> Result<PlatformName, ApiError> {
        platform_name(&self.qe_id)
    }

    /// The platform, at a TCB if it says one.
    pub(super) fn platform(&self) -> Result<(PlatformKey, Option<PckTcb>), ApiError> {
        let key = platform_key(&self.qe_id, &self.pce_id)?;
        let cpu_svn = optional("cpu_svn", self.cpu_svn.as_deref())?;
        let pce_svn = optional("pce_svn", self.pce_svn.as_deref())?;
        let tcb = cpu_svn.zip(pce_svn).map(|(cpu_svn, pce_svn)| PckTcb {
            cpu_svn: CpuSvn(cpu_svn),
            pce_svn: u16::from_le_bytes(pce_svn),
        });
        Ok((key, tcb))
    }

    /// The registration: with a manifest nothing else counts, else all of it is needed.
    pub(super) fn registration(&self) -> Result<Registration, ApiError> {
        let (platform, tcb) = self.platform()?;
        let manifest = manifest(self.platform_manifest.as_deref())?;
        if !manifest.is_empty() {
            return Ok(Registration { platform, tcb: None, encrypted_ppid: Vec::new(), manifest });
        }
        let ppid: Option<[u8; 384]> = optional("enc_ppid", self.enc_ppid.as_deref())?;
        let (Some(tcb), Some(ppid)) = (tcb, ppid) else {
            return Err(ApiError::invalid(
                "without platform_manifest, cpu_svn, pce_svn and enc_ppid are all needed",
            ));
        };
        Ok(Registration { platform, tcb: Some(tcb), encrypted_ppid: ppid.to_vec(), manifest })
    }
}
