//! The PCK certificates of a platform, as a file has them.

use collateral::{Item, PckContents, PckList, PckTcb, Record};
use verify::Tee;

use super::form::{PckCertsForm, PlatformCollateralForm};
use super::issuer_chains::{IssuerChains, decoded, missing, pck_field};
use crate::keeper::{CheckedList, Keeper};
use crate::platform_name::PlatformName;
use crate::platform_store::{PlatformKey, Registration};
use crate::refusal::Refusal;

/// The text in place of a certificate that Intel has not issued yet.
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
    /// Checks the certificates of all platforms, and that the TCB infos to choose by are there,
    /// among the records of this file or in the cache.
    pub(super) fn read_all(
        keeper: &Keeper,
        form: &PlatformCollateralForm,
        chains: &IssuerChains<'_>,
        records: &[Record],
    ) -> Result<Vec<Self>, Refusal> {
        let tcbs = tcbs(form)?;
        let certs = form.collaterals.pck_certs.iter().enumerate();
        certs
            .map(|(index, certs)| {
                let certificates = Self::read(keeper, certs, chains, &tcbs);
                let place = format_args!("collaterals.pck_certs[{index}]");
                let certificates = certificates.map_err(|refusal| refusal.at(place))?;
                certificates.check_tcb_info(keeper, records)?;
                Ok(certificates)
            })
            .collect()
    }

    fn read(
        keeper: &Keeper,
        form: &PckCertsForm,
        chains: &IssuerChains<'_>,
        tcbs: &[(PlatformKey, PckTcb)],
    ) -> Result<Self, Refusal> {
        let (name, registration) = (form.name()?, form.registration()?);
        let mut certificates = Vec::new();
        for (index, form) in form.certs.iter().enumerate() {
            let certificate = decoded(&form.cert);
            let place = |refusal: Refusal| refusal.at(format_args!("certs[{index}].cert"));
            certificates.push(certificate.map_err(place)?);
        }
        certificates.retain(|certificate| certificate != NOT_AVAILABLE);
        let first = certificates
            .first()
            .ok_or_else(|| Refusal::invalid("certs has no certificate of the platform"))?;
        let contents = PckContents::read(first.as_bytes())
            .map_err(|error| Refusal::Invalid(format!("certs: {error}")))?;
        let mut list = Err(missing(pck_field(contents.ca)));
        for issuer_chain in chains.pck(contents.ca)? {
            let certificates = certificates.clone();
            let brought = PckList { certificates, not_available: Vec::new(), issuer_chain };
            let checked = keeper.pck().lists().check(&brought);
            list = checked.map_err(|error| Refusal::Integrity(error.to_string()));
            if list.is_ok() {
                break;
            }
        }
        let list = list?;
        if list.first.pce_id != registration.platform.pce_id {
            return Err(Refusal::invalid("certs has PCK certificates of another PCE id"));
        }
        let of_platform = tcbs.iter().filter(|(key, _)| *key == registration.platform);
        let tcbs = of_platform.map(|(_, tcb)| *tcb).collect();
        Ok(Self { name, registration, list, tcbs })
    }

    /// Checks that there is TCB info by which a certificate can be chosen.
    fn check_tcb_info(&self, keeper: &Keeper, records: &[Record]) -> Result<(), Refusal> {
        let wanted = self.list.first.fmspc;
        let is_brought = records.iter().any(|record| {
            matches!(record.item, Item::TcbInfo { tee: Tee::Sgx, fmspc, .. } if fmspc == wanted)
        });
        if is_brought || keeper.pck().lists().levels(wanted).is_ok() {
            return Ok(());
        }
        Err(Refusal::Invalid(format!(
            "collaterals.tcbinfos lacks sgx_tcbinfo of the FMSPC {}, by which PCK certificates \
             are chosen, and there is none in the cache",
            hex::encode_upper(wanted)
        )))
    }
}

/// The TCBs of the platforms that the file names.
fn tcbs(form: &PlatformCollateralForm) -> Result<Vec<(PlatformKey, PckTcb)>, Refusal> {
    let mut tcbs = Vec::new();
    for (index, platform) in form.platforms.iter().enumerate() {
        let place = |refusal: Refusal| refusal.at(format_args!("platforms[{index}]"));
        let (key, tcb) = platform.platform().map_err(place)?;
        tcbs.extend(tcb.map(|tcb| (key, tcb)));
    }
    Ok(tcbs)
}
