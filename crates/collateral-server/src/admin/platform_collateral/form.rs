//! The body of `PUT platformcollateral`, as Intel's tools write it.
//!
//! `PcsClientTool fetch` leaves empty what it has not fetched: with `-c` all but the CRLs. So
//! every part is optional, and an empty text counts as missing.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::admin::form::{manifest, optional, platform_key, platform_name};
use crate::admin::platform_form::PlatformForm;
use crate::api::ApiError;
use crate::platform_name::PlatformName;
use crate::platform_store::Registration;

/// The whole body.
#[derive(Deserialize)]
pub(super) struct PlatformCollateralForm {
    #[serde(default)]
    pub(super) platforms: Vec<PlatformForm>,
    pub(super) collaterals: CollateralsForm,
}

/// Certificates and collateral.
#[derive(Deserialize)]
pub(super) struct CollateralsForm {
    #[serde(default)]
    pub(super) pck_certs: Vec<PckCertsForm>,
    #[serde(default)]
    pub(super) tcbinfos: Vec<TcbInfosForm>,
    #[serde(default)]
    pub(super) pckcacrl: PckCrlsForm,
    pub(super) qeidentity: Option<String>,
    pub(super) qeidentity_early: Option<String>,
    pub(super) tdqeidentity: Option<String>,
    pub(super) tdqeidentity_early: Option<String>,
    pub(super) qveidentity: Option<String>,
    pub(super) qveidentity_early: Option<String>,
    #[serde(default)]
    pub(super) certificates: CertificatesForm,
    /// Hexadecimal DER.
    pub(super) rootcacrl: Option<String>,
}

/// The PCK certificates of a platform.
#[derive(Deserialize)]
pub(super) struct PckCertsForm {
    qe_id: String,
    pce_id: String,
    enc_ppid: Option<String>,
    platform_manifest: Option<String>,
    #[serde(default)]
    pub(super) certs: Vec<PckCertForm>,
}

/// A PCK certificate. Its TCB is read from the certificate itself.
#[derive(Deserialize)]
pub(super) struct PckCertForm {
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
    /// The name in version 3 of the API.
    pub(super) tcbinfo: Option<IgnoredAny>,
    /// The name in version 3 of the API.
    pub(super) tcbinfo_early: Option<IgnoredAny>,
}

/// Hexadecimal DER.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PckCrlsForm {
    pub(super) processor_crl: Option<String>,
    pub(super) platform_crl: Option<String>,
}

/// Issuer chains, as URL-encoded PEM.
#[derive(Default, Deserialize)]
pub(super) struct CertificatesForm {
    #[serde(default, rename = "SGX-PCK-Certificate-Issuer-Chain")]
    pub(super) pck: PckChainsForm,
    #[serde(rename = "TCB-Info-Issuer-Chain")]
    pub(super) tcb_info: Option<String>,
    /// The name in Intel's schema of version 4, and in version 3.
    #[serde(rename = "SGX-TCB-Info-Issuer-Chain")]
    pub(super) sgx_tcb_info: Option<String>,
    #[serde(rename = "SGX-Enclave-Identity-Issuer-Chain")]
    pub(super) identity: Option<String>,
}

/// The issuer chains of the PCK CAs. A producer writes those of its platforms alone.
#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) struct PckChainsForm {
    pub(super) processor: Option<String>,
    pub(super) platform: Option<String>,
}

impl PckCertsForm {
    /// The name of the platform.
    pub(super) fn name(&self) -> Result<PlatformName, ApiError> {
        platform_name(&self.qe_id)
    }

    /// The platform of the certificates, and how Intel's PCS knows it.
    pub(super) fn registration(&self) -> Result<Registration, ApiError> {
        let ppid: Option<[u8; 384]> = optional("enc_ppid", self.enc_ppid.as_deref())?;
        Ok(Registration {
            platform: platform_key(&self.qe_id, &self.pce_id)?,
            tcb: None,
            encrypted_ppid: ppid.map(|ppid| ppid.to_vec()).unwrap_or_default(),
            manifest: manifest(self.platform_manifest.as_deref())?,
        })
    }
}

impl TcbInfosForm {
    /// Refuses fields of version 3, which would be lost without a word.
    pub(super) fn check_version(&self) -> Result<(), ApiError> {
        let fields = [("tcbinfo", &self.tcbinfo), ("tcbinfo_early", &self.tcbinfo_early)];
        let found = fields.into_iter().find(|(_, value)| value.is_some());
        found.map_or(Ok(()), |(field, _)| {
            Err(ApiError::Invalid(format!(
                "{field} is of version 3 of the API, which has ended; fetch sgx_tcbinfo below \
                 /sgx/certification/v4/"
            )))
        })
    }
}

/// The text, if it is there and not empty.
pub(super) fn present(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}
