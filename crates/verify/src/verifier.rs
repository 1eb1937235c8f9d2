//! A verifier that remembers.

use std::time::SystemTime;

use sgx::{Collateral, Quote};

use crate::collateral::Now;
use crate::evidence::{self, Evidence, Outcome};
use crate::failure::At;
use crate::memory::Memory;
use crate::{Examination, Failure, Policy, Step, TrustedRoots, Verdict, td_attributes};

/// Verifies quotes under these roots, and remembers what does not change from quote to quote.
///
/// It remembers collateral, PCK certificate chains and certified attestation keys, after their
/// signatures were checked, by their bytes. Dates and revocation are checked for each quote. The
/// verdicts are those of [`verify`](crate::verify). A quote of a known platform with known
/// collateral takes one signature check.
///
/// It remembers at most 64 sets of collateral of at most 1 MiB each, and at most 262,144
/// attestation keys, of some 540 bytes each. Threads can share it.
#[derive(Debug, Default)]
pub struct Verifier {
    roots: TrustedRoots,
    memory: Memory,
}

impl Verifier {
    /// A verifier that trusts these roots, and remembers nothing yet.
    #[must_use]
    pub fn new(roots: TrustedRoots) -> Self {
        Self { roots, memory: Memory::default() }
    }

    /// The trusted roots.
    #[must_use]
    pub fn roots(&self) -> &TrustedRoots {
        &self.roots
    }

    /// As [`verify`](crate::verify).
    #[must_use]
    pub fn verify(
        &self,
        quote: &[u8],
        collateral: &Collateral,
        now: SystemTime,
        policy: &Policy,
    ) -> Verdict {
        let quote = match evidence::parse(quote) {
            Ok(quote) => quote,
            Err(failure) => return Verdict::of_failure(failure, policy),
        };
        let Outcome { claimed_root, result } = self.outcome(&quote, collateral, Now::At(now));
        let result = result.and_then(|examination| {
            td_attributes::check(&quote.body).at(Step::TdAttributes).map(|()| examination)
        });
        let verdict = match result {
            Ok(examination) => Verdict::of_policy(examination.attested, policy),
            Err(failure) => Verdict::of_failure(failure, policy),
        };
        verdict.with_root(claimed_root.map(|root| (*root).clone()))
    }

    /// Everything that quote and collateral prove. It accepts expired evidence, TDs with any
    /// attributes, and any bytes after the quote: the caller decides about these.
    ///
    /// # Errors
    /// [`Failure`] when the evidence does not hold.
    pub fn examine(&self, quote: &[u8], collateral: &Collateral) -> Result<Examination, Failure> {
        let quote = evidence::parse_prefix(quote)?;
        self.outcome(&quote, collateral, Now::Any).result
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    fn outcome(&self, quote: &Quote, collateral: &Collateral, now: Now) -> Outcome {
        let Self { roots, memory } = self;
        Evidence { quote, collateral, roots, now, memory }.examine()
    }
}
