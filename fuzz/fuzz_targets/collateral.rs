//! Collateral: JSON -> collateral -> JSON that means the same; and no collateral but what the
//! platform has signed makes a verifier trust the platform's quote.
#![no_main]

use std::sync::LazyLock;

use fuzz::NOW;
use libfuzzer_sys::fuzz_target;
use sgx::Collateral;
use verify::{Decision, Policy, TrustedRoots, Verdict};

fuzz_target!(|json: &[u8]| {
    let genuine = &EVIDENCE.collateral;
    if let Ok(collateral) = serde_json::from_slice::<Collateral>(json) {
        let json = serde_json::to_vec(&collateral).expect("collateral has a JSON form");
        let again: Collateral = serde_json::from_slice(&json).expect("what we wrote");
        assert_eq!(again, collateral);
        if EVIDENCE.verify(&collateral).decision == Decision::Trusted {
            assert_eq!(collateral.tcb_info, genuine.tcb_info);
            assert_eq!(collateral.qe_identity, genuine.qe_identity);
        }
    }
});

/// A quote, and what proves it.
struct Evidence {
    quote: Vec<u8>,
    collateral: Collateral,
    roots: TrustedRoots,
}

static EVIDENCE: LazyLock<Evidence> = LazyLock::new(|| {
    let platform = fuzz::platform();
    let (quote, _) = platform.quote(&fuzz::report(&platform), None).expect("a valid REPORT");
    let roots = TrustedRoots::parse(platform.root_certificate().der()).expect("a root");
    let evidence = Evidence { quote, collateral: fuzz::collateral(&platform), roots };
    assert_eq!(evidence.verify(&evidence.collateral).decision, Decision::Trusted);
    evidence
});

impl Evidence {
    fn verify(&self, collateral: &Collateral) -> Verdict {
        verify::verify(&self.quote, collateral, &self.roots, NOW.into(), &Policy::default())
    }
}
