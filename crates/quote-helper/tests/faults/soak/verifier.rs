//! Verifies quotes of the load.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use sgx::Collateral;
use software_platform::SoftwarePlatform;
use time::OffsetDateTime;
use verify::{Decision, Policy, TrustedRoots};

/// Verifies under the root, and by the collateral, of one software platform.
pub(super) struct Verifier {
    collateral: Collateral,
    roots: TrustedRoots,
    verified: AtomicUsize,
}

impl Verifier {
    pub(super) fn new(state_dir: &Path) -> Self {
        let platform = SoftwarePlatform::open(state_dir).unwrap();
        let (subject, now) = (platform.pck_subject(), OffsetDateTime::now_utc());
        let issue = platform.deployment().up_to_date(&subject, now);
        let collateral = platform.collateral(&issue).unwrap();
        let roots = TrustedRoots::parse(platform.root_certificate().der()).unwrap();
        Self { collateral, roots, verified: AtomicUsize::new(0) }
    }

    #[track_caller]
    pub(super) fn verify(&self, quote: &[u8]) {
        let (now, policy) = (SystemTime::now(), Policy::default());
        let verdict = verify::verify(quote, &self.collateral, &self.roots, now, &policy);
        assert_eq!(verdict.decision, Decision::Trusted, "{verdict:?}");
        self.verified.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn verified(&self) -> usize {
        self.verified.load(Ordering::Relaxed)
    }
}
