//! The PCK certificates of a platform in an upload.

use collateral::{CollateralId, PckContents, PckList, PckTcb, Record};
use verify::{PckCa, Tee};

use super::form::{PckCertsForm, PlatformCollateralForm};
use super::issuer_chains::{IssuerChains, decoded, missing, pck_field};
use crate::api::ApiError;
use crate::backend::{Backend, CheckedList};
use crate::platform_name::PlatformName;
use crate::platform_store::{PlatformKey, Registration};

/// The placeholder for a certificate that Intel has not issued yet.
const NOT_AVAILABLE: &str = "Not available";

/// The PCK certificates of a platform, checked.
pub(super) struct PlatformCertificates {
    pub(super) name: PlatformName,
    pub(super) registration: Registration,
    pub(super) list: CheckedList,
    /// The TCBs of the platform that the file names.
    pub(super) tcbs: Vec<PckTcb>,
}

impl PlatformCertificates {
    /// Checks the certificates of all platforms, and that their TCB infos are in this file or in
    /// the cache.
    pub(super) fn read_all(
        backend: &Backend,
        form: &PlatformCollateralForm,
        chains: &IssuerChains<'_>,
        records: &[Record],
    ) -> Result<Vec<Self>, ApiError> {
        let tcbs = tcbs(form)?;
        let certs = form.collaterals.pck_certs.iter().enumerate();
        certs
            .map(|(index, certs)| {
                let place = format!("collaterals.pck_certs[{index}]");
                let certificates = Self::read(backend, &place, certs, chains, &tcbs)?;
                certificates.check_tcb_info(backend, records)?;
                Ok(certificates)
            })
            .collect()
    }

    /// Checks the certificates of one platform, which are at this place in the body.
    fn read(
        backend: &Backend,
        place: &str,
        form: &PckCertsForm,
        chains: &IssuerChains<'_>,
        tcbs: &[(PlatformKey, PckTcb)],
    ) -> Result<Self, ApiError> {
        let here = |error: ApiError| error.at(place);
        let name = form.name().map_err(here)?;
        let registration = form.registration().map_err(here)?;
        let mut certificates = Vec::new();
        for (index, form) in form.certs.iter().enumerate() {
            let certificate = decoded(&form.cert);
            let here = |error: ApiError| error.at(format_args!("{place}.certs[{index}].cert"));
            certificates.push(certificate.map_err(here)?);
        }
        certificates.retain(|certificate| certificate != NOT_AVAILABLE);
        let wrong = |reason: &str| ApiError::Invalid(format!("{place}.certs {reason}"));
        let first = certificates.first().ok_or_else(|| wrong("has no certificate"))?;
        let contents = PckContents::read(first.as_bytes());
        let contents = contents.map_err(|error| wrong(&format!("cannot be used: {error}")))?;
        let list = checked(backend, chains, contents.ca, &certificates)?;
        if list.first.extension.pce_id != registration.platform.pce_id {
            return Err(wrong("has PCK certificates of another PCE id"));
        }
        let of_platform = tcbs.iter().filter(|(key, _)| *key == registration.platform);
        let tcbs = of_platform.map(|(_, tcb)| *tcb).collect();
        Ok(Self { name, registration, list, tcbs })
    }

    /// Checks that there is TCB info, which decides the choice of a certificate.
    fn check_tcb_info(&self, backend: &Backend, records: &[Record]) -> Result<(), ApiError> {
        let wanted = self.list.first.extension.fmspc;
        let is_brought = records.iter().any(|record| {
            matches!(record.item, CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, .. } if fmspc == wanted)
        });
        if is_brought || backend.pck().lists().levels(wanted).is_ok() {
            return Ok(());
        }
        Err(ApiError::Invalid(format!(
            "collaterals.tcbinfos lacks sgx_tcbinfo of the FMSPC {}, by which PCK certificates \
             are chosen, and there is none in the cache",
            hex::encode_upper(wanted)
        )))
    }
}

/// Checks the certificates with the first issuer chain of their CA that verifies them.
fn checked(
    backend: &Backend,
    chains: &IssuerChains<'_>,
    ca: PckCa,
    certificates: &[String],
) -> Result<CheckedList, ApiError> {
    let mut result = Err(missing(pck_field(ca)));
    for issuer_chain in chains.pck(ca)? {
        let certificates = certificates.to_vec();
        let list = PckList { certificates, not_available: Vec::new(), issuer_chain };
        let checked = backend.pck().lists().check(&list);
        result = checked.map_err(|error| ApiError::Integrity(error.to_string()));
        if result.is_ok() {
            break;
        }
    }
    result
}

/// The TCBs of the platforms that the file names.
fn tcbs(form: &PlatformCollateralForm) -> Result<Vec<(PlatformKey, PckTcb)>, ApiError> {
    let mut tcbs = Vec::new();
    for (index, platform) in form.platforms.iter().enumerate() {
        let place = |error: ApiError| error.at(format_args!("platforms[{index}]"));
        let (key, tcb) = platform.platform().map_err(place)?;
        tcbs.extend(tcb.map(|tcb| (key, tcb)));
    }
    Ok(tcbs)
}
