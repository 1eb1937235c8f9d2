//! What quotes have in common that are summed up.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sgx::{AesmError, MrEnclave, MrSigner, ReportBody};

use crate::caller::{Caller, Workload};

/// A process, an enclave and an outcome.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) pid: i32,
    pub(super) workload: Option<Arc<Workload>>,
    pub(super) mr_enclave: MrEnclave,
    pub(super) mr_signer: MrSigner,
    pub(super) isv_prod_id: u16,
    pub(super) isv_svn: u16,
    pub(super) debug: bool,
    pub(super) error: Option<AesmError>,
}

impl Key {
    pub(super) fn new(caller: &Caller, body: &ReportBody, error: Option<AesmError>) -> Self {
        Self {
            uid: caller.uid,
            gid: caller.gid,
            pid: caller.pid,
            workload: caller.workload.clone(),
            mr_enclave: body.mr_enclave,
            mr_signer: body.mr_signer,
            isv_prod_id: body.isv_prod_id.get(),
            isv_svn: body.isv_svn.get(),
            debug: body.attributes.is_debug(),
            error,
        }
    }

    pub(super) fn pod(&self) -> Option<&str> {
        self.workload.as_ref()?.pod.as_deref()
    }

    pub(super) fn container(&self) -> Option<&str> {
        self.workload.as_ref()?.container.as_deref()
    }

    pub(super) fn outcome(&self) -> &'static str {
        self.error.map_or("SUCCESS", AesmError::name)
    }
}

impl Hash for Key {
    /// Leaves out what hardly ever differs by itself, since each quote is hashed. All that a caller can choose as it
    /// likes is in.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.uid);
        state.write_u32(self.pid.cast_unsigned());
        state.write(&self.mr_enclave.0);
        state.write(&self.mr_signer.0);
        state.write_u16(self.isv_prod_id);
        state.write_u16(self.isv_svn);
        state.write_u32(self.error.map_or(0, AesmError::number));
    }
}
