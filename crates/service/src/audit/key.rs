//! The attributes that aggregated quotes share.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sgx::{AesmError, MrEnclave, MrSigner, ReportBody};

use crate::caller::{Caller, Tenant, Workload};

/// A process, and the outcome of its requests.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tenant: Tenant,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) pid: i32,
    pub(super) workload: Option<Arc<Workload>>,
    pub(super) outcome: QuoteOutcome,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum QuoteOutcome {
    /// A quote of this enclave, whose REPORT the Quoting Enclave has checked.
    Quote(Enclave),
    /// No quote. The enclave is unknown: a caller can make up REPORTs, each different.
    Failure(AesmError),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Enclave {
    pub(super) mr_enclave: MrEnclave,
    pub(super) mr_signer: MrSigner,
    pub(super) isv_prod_id: u16,
    pub(super) isv_svn: u16,
    pub(super) debug: bool,
}

impl Key {
    pub(super) fn new(caller: &Caller, body: &ReportBody, error: Option<AesmError>) -> Self {
        Self {
            tenant: caller.tenant.clone(),
            uid: caller.uid,
            gid: caller.gid,
            pid: caller.pid,
            workload: caller.workload.clone(),
            outcome: error
                .map_or_else(|| QuoteOutcome::Quote(Enclave::of(body)), QuoteOutcome::Failure),
        }
    }

    pub(super) fn pod(&self) -> Option<&str> {
        self.workload.as_ref()?.pod.as_deref()
    }

    pub(super) fn container(&self) -> Option<&str> {
        self.workload.as_ref()?.container.as_deref()
    }

    /// The enclave, if it is known.
    pub(super) fn enclave(&self) -> Option<&Enclave> {
        match &self.outcome {
            QuoteOutcome::Quote(enclave) => Some(enclave),
            QuoteOutcome::Failure(_) => None,
        }
    }
}

impl QuoteOutcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Quote(_) => "SUCCESS",
            Self::Failure(error) => error.name(),
        }
    }
}

impl Enclave {
    fn of(body: &ReportBody) -> Self {
        Self {
            mr_enclave: body.mr_enclave,
            mr_signer: body.mr_signer,
            isv_prod_id: body.isv_prod_id.get(),
            isv_svn: body.isv_svn.get(),
            debug: body.attributes.is_debug(),
        }
    }
}

impl Hash for Key {
    /// Hashes everything that a caller can choose freely, and leaves out fields that hardly ever
    /// differ alone, since this is on the road of each quote.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.uid);
        state.write_u32(self.pid.cast_unsigned());
        match &self.outcome {
            QuoteOutcome::Quote(enclave) => {
                state.write(&enclave.mr_enclave.0);
                state.write(&enclave.mr_signer.0);
                state.write_u16(enclave.isv_prod_id);
                state.write_u16(enclave.isv_svn);
            }
            QuoteOutcome::Failure(error) => state.write_u32(error.number()),
        }
    }
}
