//! What quotes have in common that are summed up.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sgx::{AesmError, MrEnclave, MrSigner, ReportBody};

use crate::caller::{Caller, Tenant, Workload};

/// A process, and what came of its requests.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tenant: Tenant,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) pid: i32,
    pub(super) workload: Option<Arc<Workload>>,
    pub(super) outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A quote of this enclave, which the Quoting Enclave has checked.
    Quote(Enclave),
    /// No quote. Nothing is known of the enclave: the caller can write into a REPORT what it likes, each time something else.
    Failure(AesmError),
}

/// An enclave.
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
            outcome: error.map_or_else(|| Outcome::Quote(Enclave::of(body)), Outcome::Failure),
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
            Outcome::Quote(enclave) => Some(enclave),
            Outcome::Failure(_) => None,
        }
    }
}

impl Outcome {
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
    /// Leaves out what hardly ever differs by itself, since each quote is hashed. All that a caller can choose as it
    /// likes is in.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.uid);
        state.write_u32(self.pid.cast_unsigned());
        match &self.outcome {
            Outcome::Quote(enclave) => {
                state.write(&enclave.mr_enclave.0);
                state.write(&enclave.mr_signer.0);
                state.write_u16(enclave.isv_prod_id);
                state.write_u16(enclave.isv_svn);
            }
            Outcome::Failure(error) => state.write_u32(error.number()),
        }
    }
}
