//! Issuer chains of PCK certificates and CRLs in the cache and the database.

use collateral::CollateralId;
use verify::{PckCa, check_pck_issuer_chain};

use super::Backend;
use crate::platform_store::StoreError;

impl Backend {
    /// The stored issuer chains of this PCK CA that are valid now: PEM of the CA and the root.
    pub(crate) fn pck_issuer_chains(&self, ca: PckCa) -> Result<Vec<String>, StoreError> {
        let (roots, now) = (self.cache.fetcher().roots(), self.cache.fetcher().now());
        let mut chains = self.store.issuer_chains()?;
        if let Some(crl) = self.cache.peek(&CollateralId::PckCrl(ca)) {
            chains.push(crl.document.issuer_chain.clone());
        }
        chains.retain(|chain| {
            check_pck_issuer_chain(chain, roots, now).is_ok_and(|found| found == ca)
        });
        Ok(chains)
    }
}
