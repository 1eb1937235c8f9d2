//! The software platform as a source of collateral.

use std::sync::Arc;
use std::time::Instant;

use collateral::{CollateralId, Document, PckCertificateRequest, Source, SourceError, TcbUpdate};
use parking_lot::{Mutex, MutexGuard};
use sgx::Collateral;
use software_platform::{
    CollateralIssue, PcsCollateral, PkiError, SignedJson, SoftwarePlatform, decrypt_ppid,
};
use time::{Duration, OffsetDateTime};
use verify::{EnclaveId, PckCa, Tee};

/// Maximum age of collateral, which is valid for 30 days.
const REISSUE_AFTER: Duration = Duration::hours(1);

/// Issues the collateral of one software platform, as its deployment has published it.
pub struct SoftwareCollateral {
    clock: fn() -> OffsetDateTime,
    current: Mutex<Current>,
}

struct Current {
    platform: Arc<SoftwarePlatform>,
    issued: Option<Arc<Issued>>,
}

struct Issued {
    at: OffsetDateTime,
    issue: CollateralIssue,
    collateral: Collateral,
    pcs: PcsCollateral,
}

impl Issued {
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        let end = self.at.checked_add(REISSUE_AFTER);
        end.is_some_and(|end| (self.at..end).contains(&now))
    }
}

impl SoftwareCollateral {
    /// A source for this platform, with the time from `clock`.
    #[must_use]
    pub fn new(platform: Arc<SoftwarePlatform>, clock: fn() -> OffsetDateTime) -> Self {
        Self { clock, current: Mutex::new(Current { platform, issued: None }) }
    }

    /// Replaces the platform, for instance after a change of its TCB.
    pub fn replace(&self, platform: Arc<SoftwarePlatform>) {
        *self.lock() = Current { platform, issued: None };
    }

    fn platform(&self) -> Arc<SoftwarePlatform> {
        Arc::clone(&self.lock().platform)
    }

    /// No panic happens while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock()
    }

    /// The current collateral, issued again if it is too old or the clock was set back.
    fn current(&self) -> Result<Arc<Issued>, SourceError> {
        let at = (self.clock)();
        let mut current = self.lock();
        if let Some(issued) = current.issued.as_ref().filter(|issued| issued.is_fresh(at)) {
            return Ok(Arc::clone(issued));
        }
        let failed = |error: PkiError| SourceError::Unreachable(error.to_string());
        let issue = current.platform.issue(at);
        let collateral = current.platform.collateral(&issue).map_err(failed)?;
        let pcs = current.platform.pcs_collateral(&issue).map_err(failed)?;
        Ok(Arc::clone(current.issued.insert(Arc::new(Issued { at, issue, collateral, pcs }))))
    }

    /// The collateral if it has the requested evaluation; there is only one.
    fn of_set(&self, set: TcbUpdate) -> Result<Arc<Issued>, SourceError> {
        let issued = self.current()?;
        match set {
            TcbUpdate::Number(number) if number != issued.issue.tcb_evaluation_data_number => {
                Err(SourceError::NotFound)
            }
            _ => Ok(issued),
        }
    }
}

impl SoftwareCollateral {
    fn pck_certificate(&self, request: &PckCertificateRequest) -> Result<Document, SourceError> {
        let platform = self.platform();
        let (subject, certificate) = (platform.pck_subject(), platform.pck_certificate());
        if request.qe_id != platform.qe_id() || request.pce_id != subject.pce_id {
            return Err(SourceError::UnknownPlatform);
        }
        if (request.cpu_svn, request.pce_svn) != (subject.cpu_svn, subject.pce_svn) {
            return Err(SourceError::NoCertificate);
        }
        Ok(document(certificate.leaf().pem(), certificate.issuer_chain_pem()))
    }

    /// The platform, if this is its encrypted PPID and PCE id.
    pub(crate) fn known_by(
        &self,
        encrypted_ppid: &[u8; 384],
        pce_id: [u8; 2],
    ) -> Option<Arc<SoftwarePlatform>> {
        let platform = self.platform();
        let subject = platform.pck_subject();
        let is_this =
            decrypt_ppid(encrypted_ppid) == Some(subject.ppid) && pce_id == subject.pce_id;
        is_this.then_some(platform)
    }

    /// The FMSPC of the platform.
    pub(crate) fn fmspc(&self) -> [u8; 6] {
        self.platform().pck_subject().fmspc
    }
}

impl Source for SoftwareCollateral {
    fn name(&self) -> &str {
        "the software platform"
    }

    fn fetch(&self, item: &CollateralId, _deadline: Instant) -> Result<Document, SourceError> {
        match item {
            CollateralId::PckCertificate(request) => self.pck_certificate(request),
            CollateralId::PckCrl(PckCa::Platform) => {
                let Issued { collateral, .. } = &*self.current()?;
                Ok(document(collateral.pck_crl.clone(), &collateral.pck_crl_issuer_chain))
            }
            CollateralId::PckCrl(PckCa::Processor) => {
                let Issued { pcs, .. } = &*self.current()?;
                Ok(document(pcs.processor_crl.clone(), &pcs.processor_crl_issuer_chain))
            }
            CollateralId::RootCaCrl => {
                Ok(document(self.current()?.collateral.root_ca_crl.clone(), ""))
            }
            CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set } if *fmspc == self.fmspc() => {
                let Issued { collateral, .. } = &*self.of_set(*set)?;
                let (json, signature) = (&collateral.tcb_info, &collateral.tcb_info_signature);
                let body = signed_json("tcbInfo", json, signature);
                Ok(document(body, &collateral.tcb_info_issuer_chain))
            }
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qe, set } => {
                let Issued { collateral, .. } = &*self.of_set(*set)?;
                let (json, signature) =
                    (&collateral.qe_identity, &collateral.qe_identity_signature);
                let body = signed_json("enclaveIdentity", json, signature);
                Ok(document(body, &collateral.qe_identity_issuer_chain))
            }
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qve, set } => {
                let Issued { pcs, .. } = &*self.of_set(*set)?;
                Ok(identity(&pcs.qve_identity, &pcs.identity_issuer_chain))
            }
            CollateralId::EnclaveIdentity { enclave: EnclaveId::TdQe, set } => {
                let Issued { pcs, .. } = &*self.of_set(*set)?;
                Ok(identity(&pcs.td_qe_identity, &pcs.identity_issuer_chain))
            }
            CollateralId::TcbInfo { .. } => Err(SourceError::NotFound),
        }
    }
}

fn document(body: impl Into<Vec<u8>>, issuer_chain: &str) -> Document {
    Document { body: body.into(), issuer_chain: issuer_chain.to_owned() }
}

fn identity(identity: &SignedJson, issuer_chain: &str) -> Document {
    document(signed_json("enclaveIdentity", &identity.json, &identity.signature), issuer_chain)
}

/// The envelope of the API around the signed bytes, which stay unchanged.
fn signed_json(name: &str, json: &str, signature: &[u8]) -> String {
    format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature))
}
