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
    /// The last root in a quote. Nearly all quotes have the same one, in memory once.
    claimed_root: Option<Arc<ClaimedRoot>>,
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
    pub(crate) fn remember_certification(&self, key: KeyId, mut certification: Certification) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.claimed_root != certification.claimed_root {
            keys.claimed_root.clone_from(&certification.claimed_root);
        }
        certification.claimed_root.clone_from(&keys.claimed_root);
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

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use test_support::sample::sample;

    use super::*;
    use crate::Verifier;

    /// A platform in memory of its own, as each one is.
    fn platform() -> Certification {
        let (verifier, sample) = (Verifier::default(), sample());
        verifier.examine(&sample.quote, &sample.collateral).unwrap();
        let quote = Quote::parse_padded(&sample.quote).unwrap();
        verifier.memory().certification(&KeyId::of(&quote, &sample.collateral)).unwrap()
    }

    fn key(number: u64) -> KeyId {
        KeyId(sha256([&number.to_le_bytes()]))
    }

    /// Held by each test, since one measures the memory of the process.
    static ALONE: Mutex<()> = Mutex::new(());

    /// The resident memory of this process, in bytes.
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap().saturating_mul(4096)
    }

    #[test]
    fn a_hundred_thousand_platforms_take_64_mib_and_the_number_is_bounded() {
        let _alone = ALONE.lock();
        let (memory, platform) = (Memory::default(), platform());
        let remember_in = |memory: &Memory, number| {
            let pck = Arc::new((*platform.pck).clone());
            let claimed_root = platform.claimed_root.as_deref().cloned().map(Arc::new);
            let certification = Certification { root: platform.root, claimed_root, pck };
            memory.remember_certification(key(number), certification);
        };
        // Takes up the memory that was free before.
        let other = Memory::default();
        (0..100_000).for_each(|number| remember_in(&other, number));
        let remember = |number| remember_in(&memory, number);
        let before = resident();
        (0..100_000).for_each(remember);
        let size = resident() - before;
        assert!(size < 64 << 20, "{size}");
        assert!((0..100_000).all(|number| memory.certification(&key(number)).is_some()));
        // One that is used stays; the others make room.
        for number in 100_000..600_000 {
            remember(number);
            assert!(memory.certification(&key(0)).is_some());
        }
        let keys = memory.keys.read().unwrap();
        assert!(keys.young.len() + keys.old.len() <= 2 * KEYS);
        assert!(!keys.young.contains_key(&key(1)) && !keys.old.contains_key(&key(1)));
    }

    #[test]
    fn collateral_is_bounded_in_number_and_size() {
        let _alone = ALONE.lock();
        let (memory, sample) = (Memory::default(), sample());
        let verifier = Verifier::default();
        verifier.examine(&sample.quote, &sample.collateral).unwrap();
        let roots = crate::TrustedRoots::intel();
        let root = roots.iter().next().unwrap();
        let checked = verifier.memory().collateral(root, &sample.collateral).unwrap();
        let numbered = |number: usize| Collateral {
            pck_crl_issuer_chain: number.to_string(),
            ..sample.collateral.clone()
        };
        for number in 0..=COLLATERALS {
            memory.remember_collateral(root, &numbered(number), &checked);
        }
        assert!(memory.collateral(root, &numbered(0)).is_none());
        assert!((1..=COLLATERALS).all(|it| memory.collateral(root, &numbered(it)).is_some()));
        let large = Collateral { tcb_info: " ".repeat(COLLATERAL_SIZE), ..numbered(0) };
        memory.remember_collateral(root, &large, &checked);
        assert!(memory.collateral(root, &large).is_none());
    }
}
