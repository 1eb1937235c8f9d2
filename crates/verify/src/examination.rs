//! Everything that quote and collateral prove.

use std::sync::Arc;
use std::time::SystemTime;

use sgx::QuoteBody;

use crate::checked_collateral::CheckedCollateral;
use crate::collateral::{CertifiedPck, EnclaveLevel};
use crate::platform_level::PlatformLevel;
use crate::{
    Attested, AttestedPlatform, AttestedTcb, CollateralDates, PckCa, SgxExtension, TcbStatus,
    TrustedRoot,
};

/// Everything that a quote and its collateral prove, dates and policy apart.
///
/// It has what the supplemental data of Intel's verification library has.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The facts of [`Verdict::attested`](crate::Verdict::attested).
    pub attested: Attested,
    /// The date of the platform's TCB level, that of a TDX module's own level apart.
    pub platform_tcb_date: SystemTime,
    /// The TCB level of the Quoting Enclave.
    pub qe: QeLevel,
    /// The TCB of a TD's platform now; `None` if the quote does not state it.
    current: Option<AttestedTcb>,
    collateral: Arc<CheckedCollateral>,
    pck: Arc<CertifiedPck>,
}

/// The TCB level of a Quoting Enclave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QeLevel {
    /// The status.
    pub status: TcbStatus,
    /// The date of the level.
    pub date: SystemTime,
    /// Intel's security advisories behind the status.
    pub advisory_ids: Vec<String>,
}

impl Examination {
    pub(crate) fn new(
        body: QuoteBody,
        level: &PlatformLevel,
        qe: &EnclaveLevel,
        root: &TrustedRoot,
        collateral: Arc<CheckedCollateral>,
        pck: Arc<CertifiedPck>,
    ) -> Self {
        let CheckedCollateral { tcb_info, qe_identity, .. } = &*collateral;
        let evaluation =
            tcb_info.tcb_evaluation_data_number.min(qe_identity.tcb_evaluation_data_number);
        let attested = Attested {
            body,
            tcb: AttestedTcb::new(level, qe, evaluation),
            platform: AttestedPlatform::new(&pck.certificate.extension),
            root: root.clone(),
            earliest_expiration: collateral.dates.with(pck.dates).earliest_expiration,
        };
        let current = level.current.as_ref();
        let current = current.map(|now| AttestedTcb::without_relaunch(now, qe, evaluation));
        let platform_tcb_date = level.platform_date;
        Self { attested, platform_tcb_date, qe: qe.into(), current, collateral, pck }
    }

    /// The TCB now. That of a TD may differ from the one at its launch, which
    /// [`Examination::attested`] has (TDX 1.5).
    #[must_use]
    pub fn current_tcb(&self) -> &AttestedTcb {
        self.current.as_ref().unwrap_or(&self.attested.tcb)
    }

    /// The PCK certificate's SGX extension.
    #[must_use]
    pub fn pck(&self) -> &SgxExtension {
        &self.pck.certificate.extension
    }

    /// The CA that issued the PCK certificate.
    #[must_use]
    pub fn pck_ca(&self) -> PckCa {
        self.pck.certificate.ca
    }

    /// The number of the PCK CA's CRL.
    #[must_use]
    pub fn pck_crl_number(&self) -> u64 {
        self.collateral.pck_crl.number
    }

    /// The number of the root's CRL.
    #[must_use]
    pub fn root_ca_crl_number(&self) -> u64 {
        self.collateral.root_crl.number
    }

    /// The dates of the certificates in the quote and of all collateral, with the issuer chains of
    /// TCB info and QE identity.
    #[must_use]
    pub fn dates(&self) -> CollateralDates {
        self.collateral.dates.with(self.pck.dates)
    }

    /// The dates of the QE identity and its issuer chain.
    #[must_use]
    pub fn qe_identity_dates(&self) -> CollateralDates {
        let identity = &self.collateral.qe_identity;
        CollateralDates::from(identity.validity).with(identity.signer.dates)
    }

    /// The public key of the root: the uncompressed point of SEC 1, 4 ‖ x ‖ y, big-endian.
    #[must_use]
    pub fn root_public_key(&self) -> Option<[u8; 65]> {
        Some(*self.attested.root.key()?.point())
    }

    /// `tcbEvaluationDataNumber` of the QE identity.
    #[must_use]
    pub fn qe_identity_evaluation_number(&self) -> u32 {
        self.collateral.qe_identity.tcb_evaluation_data_number
    }
}

impl From<&EnclaveLevel> for QeLevel {
    fn from(level: &EnclaveLevel) -> Self {
        let (date, status) = (level.date, level.status);
        Self { date, status, advisory_ids: level.advisory_ids.clone() }
    }
}
