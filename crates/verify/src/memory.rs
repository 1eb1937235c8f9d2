//! The evidence that a verifier has checked before, within bounds.
#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use sgx::{Collateral, IntoBytes, Quote};

use crate::checked_collateral::CheckedCollateral;
use crate::collateral::CertifiedPck;
use crate::signatures::sha256;
use crate::{ClaimedRoot, TrustedRoot};

/// The maximum number of sets of collateral: each kind of platform has one for SGX, one for TDX.
const COLLATERALS: usize = 64;
/// The maximum size of a set of collateral to remember, in bytes; Intel's have 20 to 60 KiB.
const COLLATERAL_SIZE: usize = 1 << 20;
/// The number of attestation keys that are remembered in any case. Keys that were not used while
/// this many others were used are forgotten.
const KEYS: usize = 1 << 17;

/// Evidence that was checked before. Each piece is found by all its bytes, or their SHA-256.
///
/// Only what is signed under a trusted root is remembered. Dates and revocation are checked at each
/// use.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The newest first.
    collateral: RwLock<VecDeque<RememberedCollateral>>,
    keys: RwLock<Generations>,
}

/// A set of collateral and the outcome of its check.
#[derive(Debug)]
struct RememberedCollateral {
    /// SHA-256 of the root.
    root: [u8; 32],
    source: Collateral,
    checked: Arc<CheckedCollateral>,
}

/// SHA-256 of an attestation key and everything that certifies it, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId([u8; 32]);

impl KeyId {
    /// The key of a quote, certified by the chain in it or by that in the collateral.
    pub(crate) fn of(quote: &Quote, collateral: &Collateral) -> Self {
        let signature = &quote.signature;
        let certification = &signature.certification_data;
        let given = collateral.pck_certificate_chain.as_ref();
        let size = |bytes: usize| (bytes as u64).to_le_bytes();
        Self(sha256([
            &signature.attestation_public_key,
            signature.qe_report.as_bytes(),
            &signature.qe_report_signature,
            &size(signature.authentication_data.len()),
            &signature.authentication_data,
            &certification.data_type.0.to_le_bytes(),
            &size(certification.data.len()),
            &certification.data,
            given.map_or(&[], |chain| chain.as_bytes()),
        ]))
    }
}

/// The platform that certified an attestation key.
#[derive(Debug, Clone)]
pub(crate) struct Certification {
    /// SHA-256 of the trusted root.
    pub(crate) root: [u8; 32],
    /// The root in the quote.
    pub(crate) claimed_root: Option<Arc<ClaimedRoot>>,
    pub(crate) pck: Arc<CertifiedPck>,
}

/// The attestation keys that were used since there were [`KEYS`] of them, and before.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<KeyId, Certification>,
    old: HashMap<KeyId, Certification>,
}

impl Memory {
    /// The outcome of the check of this collateral under this root.
    pub(crate) fn collateral(
        &self,
        root: &TrustedRoot,
        source: &Collateral,
    ) -> Option<Arc<CheckedCollateral>> {
        let sets = self.collateral.read().unwrap_or_else(PoisonError::into_inner);
        let found = sets.iter().find(|set| set.root == root.sha256 && set.source == *source)?;
        Some(Arc::clone(&found.checked))
    }

    /// Remembers collateral, unless it is too large, in place of the oldest one.
    pub(crate) fn remember_collateral(
        &self,
        root: &TrustedRoot,
        source: &Collateral,
        checked: &Arc<CheckedCollateral>,
    ) {
        if size(source) > COLLATERAL_SIZE {
            return;
        }
        let (root, source) = (root.sha256, source.clone());
        let set = RememberedCollateral { root, source, checked: Arc::clone(checked) };
        let mut sets = self.collateral.write().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|other| other.root != set.root || other.source != set.source);
        sets.truncate(COLLATERALS - 1);
        sets.push_front(set);
    }

    /// The certification of this attestation key.
    pub(crate) fn certification(&self, key: &KeyId) -> Option<Certification> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = keys.young.get(key) {
            return Some(found.clone());
        }
        let found = keys.old.get(key)?.clone();
        drop(keys);
        self.remember_certification(*key, found.clone());
        Some(found)
    }

    /// Remembers the certification of an attestation key.
    pub(crate) fn remember_certification(&self, key: KeyId, certification: Certification) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.young.len() >= KEYS {
            keys.old = std::mem::take(&mut keys.young);
        }
        keys.young.insert(key, certification);
    }
}

/// The size of a set of collateral in bytes.
fn size(collateral: &Collateral) -> usize {
    [
        collateral.pck_crl_issuer_chain.len(),
        collateral.root_ca_crl.len(),
        collateral.pck_crl.len(),
        collateral.tcb_info_issuer_chain.len(),
        collateral.tcb_info.len(),
        collateral.tcb_info_signature.len(),
        collateral.qe_identity_issuer_chain.len(),
        collateral.qe_identity.len(),
        collateral.qe_identity_signature.len(),
        collateral.pck_certificate_chain.as_ref().map_or(0, String::len),
    ]
    .into_iter()
    .sum()
}
