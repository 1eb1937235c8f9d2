//! The verification of an offer.

use std::time::SystemTime;

use sgx::Collateral;
use verify::{EnclavePolicy, Policy, TrustedRoots, Verdict};

use crate::{Offer, mr_enclave};

/// Verifies offers of enclaves on one kind of platform.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// The trusted roots: [`TrustedRoots::intel`] for genuine SGX.
    pub roots: TrustedRoots,
    /// Certificates, CRLs and TCB information of the platform. [`collateral::fetch`] fetches it; it
    /// expires after some weeks.
    pub collateral: Collateral,
}

impl Verifier {
    /// Requires a genuine and current platform, the enclave with this code, and a quote that binds
    /// the offered key.
    #[must_use]
    pub fn verify(&self, offer: &Offer, code: &str) -> Verdict {
        let policy = Policy {
            enclave: EnclavePolicy {
                mr_enclaves: vec![mr_enclave(code)],
                ..EnclavePolicy::default()
            },
            report_data: Some(offer.public_key.binding()),
            ..Policy::default()
        };
        verify::verify(&offer.quote, &self.collateral, &self.roots, SystemTime::now(), &policy)
    }
}
