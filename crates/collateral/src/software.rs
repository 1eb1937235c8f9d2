//! The software platform as a source of collateral.

use std::sync::{Arc, Mutex, PoisonError};

use sgx::Collateral;
use software_platform::{CollateralIssue, SoftwarePlatform};
use time::{Duration, OffsetDateTime};

use crate::{
    EvaluationSet, PckAnswer, PckCa, PckCrl, PckQuestion, PcsError, PcsSource, SignedJson,
};

/// How old collateral gets before it is issued anew. It is valid for 30 days.
const REISSUE_AFTER: Duration = Duration::hours(1);

/// Issues the collateral of one software platform, all of it up to date.
pub struct SoftwareCollateral {
    platform: Arc<SoftwarePlatform>,
    clock: fn() -> OffsetDateTime,
    issued: Mutex<Option<Arc<Issued>>>,
}

struct Issued {
    issue: CollateralIssue,
    collateral: Collateral,
}

impl Issued {
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        let end = self.issue.now.checked_add(REISSUE_AFTER);
        end.is_some_and(|end| (self.issue.now..end).contains(&now))
    }
}

impl SoftwareCollateral {
    /// A source that knows this platform, and the time from `clock`.
    #[must_use]
    pub fn new(platform: Arc<SoftwarePlatform>, clock: fn() -> OffsetDateTime) -> Self {
        Self { platform, clock, issued: Mutex::new(None) }
    }

    /// The collateral, issued a short time ago at most. After a jump of the clock it is issued anew.
    fn current(&self) -> Result<Arc<Issued>, PcsError> {
        let now = (self.clock)();
        // No panic happens while the lock is held.
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = issued.as_ref().filter(|issued| issued.is_fresh(now)) {
            return Ok(Arc::clone(issued));
        }
        let issue = self.platform.deployment().up_to_date(&self.platform.pck_subject(), now);
        let collateral = self.platform.collateral(&issue);
        let collateral = collateral.map_err(|error| PcsError::Failed(error.into()))?;
        Ok(Arc::clone(issued.insert(Arc::new(Issued { issue, collateral }))))
    }

    /// The collateral if its evaluation is the one that is asked for; there is only one.
    fn of_set(&self, set: EvaluationSet) -> Result<Arc<Issued>, PcsError> {
        let issued = self.current()?;
        match set {
            EvaluationSet::Number(number) if number != issued.issue.tcb_evaluation_data_number => {
                Err(PcsError::NotFound)
            }
            _ => Ok(issued),
        }
    }
}

impl PcsSource for SoftwareCollateral {
    fn pck_certificate(&self, question: &PckQuestion) -> Result<PckAnswer, PcsError> {
        let (subject, certificate) = (self.platform.pck_subject(), self.platform.pck_certificate());
        if question.qe_id != self.platform.qe_id() || question.pce_id != subject.pce_id {
            return Err(PcsError::UnknownPlatform);
        }
        if (question.cpu_svn, question.pce_svn) != (subject.cpu_svn, subject.pce_svn) {
            return Err(PcsError::NoCertificate);
        }
        Ok(PckAnswer {
            certificate: certificate.leaf().pem().to_owned(),
            issuer_chain: certificate.issuer_chain_pem().to_owned(),
            ca: PckCa::Platform,
            fmspc: subject.fmspc,
            cpu_svn: subject.cpu_svn,
            pce_svn: subject.pce_svn,
        })
    }

    fn pck_crl(&self, ca: PckCa) -> Result<PckCrl, PcsError> {
        if ca != PckCa::Platform {
            return Err(PcsError::NotFound);
        }
        let Issued { collateral, .. } = &*self.current()?;
        Ok(PckCrl {
            crl: collateral.pck_crl.clone(),
            issuer_chain: collateral.pck_crl_issuer_chain.clone(),
        })
    }

    fn root_ca_crl(&self) -> Result<Vec<u8>, PcsError> {
        Ok(self.current()?.collateral.root_ca_crl.clone())
    }

    fn tcb_info(&self, fmspc: [u8; 6], set: EvaluationSet) -> Result<SignedJson, PcsError> {
        if fmspc != self.platform.pck_subject().fmspc {
            return Err(PcsError::NotFound);
        }
        let Issued { collateral, .. } = &*self.of_set(set)?;
        Ok(SignedJson {
            json: collateral.tcb_info.clone(),
            signature: collateral.tcb_info_signature.clone(),
            issuer_chain: collateral.tcb_info_issuer_chain.clone(),
        })
    }

    fn qe_identity(&self, set: EvaluationSet) -> Result<SignedJson, PcsError> {
        let Issued { collateral, .. } = &*self.of_set(set)?;
        Ok(SignedJson {
            json: collateral.qe_identity.clone(),
            signature: collateral.qe_identity_signature.clone(),
            issuer_chain: collateral.qe_identity_issuer_chain.clone(),
        })
    }
}
