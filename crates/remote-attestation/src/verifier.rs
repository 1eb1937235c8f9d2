//! The other side's view: is this offer to be trusted?

use std::time::SystemTime;

use sgx::Collateral;
use verify::{Policy, TrustedRoots, Verdict};

use crate::{Offer, mr_enclave};

/// Verifies offers of enclaves on one kind of platform.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Where trust begins. [`TrustedRoots::intel`] for genuine SGX.
    pub roots: TrustedRoots,
    /// What is known of the platform today: its certificates, which of them are revoked, which of
    /// its software is up to date. It is fetched with [`collateral::fetch`], and expires after some
    /// weeks.
    pub collateral: Collateral,
}

impl Verifier {
    /// Demands a genuine and current platform, the enclave with this code, and that its quote
    /// vouches for the very key that came with it.
    #[must_use]
    pub fn verify(&self, offer: &Offer, code: &str) -> Verdict {
        let policy = Policy {
            mr_enclaves: vec![mr_enclave(code)],
            report_data: Some(offer.public_key.binding()),
            ..Policy::default()
        };
        verify::verify(&offer.quote, &self.collateral, &self.roots, SystemTime::now(), &policy)
    }
}
