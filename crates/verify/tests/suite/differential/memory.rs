//! Remembered evidence does not outlive its dates, a CRL or a change of roots.

use sgx::{Collateral, Quote};
use verify::{Decision, TrustedRoots, Verdict, VerdictCode, Verifier};

use crate::common::{at, lenient};
use crate::differential::evidence::{DAY, Evidence, NOW};
use crate::differential::pki::{self, CrlSpec, Who};

/// A verifier that remembers a platform, and the evidence of that.
struct Remembering {
    verifier: Verifier,
    evidence: Evidence,
    quote: Vec<u8>,
    collateral: Collateral,
}

impl Remembering {
    fn new(change: impl FnOnce(&mut Evidence)) -> Self {
        let mut evidence = Evidence::new();
        change(&mut evidence);
        let (quote, collateral, roots) = evidence.sign();
        let verifier = Verifier::new(roots);
        let it = Self { verifier, evidence, quote, collateral };
        for _ in 0..2 {
            assert_eq!(it.verify(&it.quote, &it.collateral, NOW).decision, Decision::Trusted);
        }
        it
    }

    /// The verdict, which must be that of a verifier that remembers nothing.
    #[track_caller]
    fn verify(&self, quote: &[u8], collateral: &Collateral, now: i64) -> Verdict {
        let now = at(now.cast_unsigned());
        let verdict = self.verifier.verify(quote, collateral, now, &lenient());
        let cold = Verifier::new(self.verifier.roots().clone());
        assert_eq!(verdict, cold.verify(quote, collateral, now, &lenient()));
        verdict
    }
}

#[test]
fn each_date_counts_at_each_verification() {
    type SetUntil = fn(&mut Evidence, i64);
    let pieces: [SetUntil; 7] = [
        |e, until| e.certificate(Who::Root).until = until,
        |e, until| e.certificate(Who::PckCa).until = until,
        |e, until| e.certificate(Who::Pck).until = until,
        |e, until| e.certificate(Who::TcbSigner).until = until,
        |e, until| e.root_crl.until = until,
        |e, until| e.pck_crl.until = until,
        |e, until| e.tcb_info["nextUpdate"] = crate::differential::evidence::date(until),
    ];
    for set_until in pieces {
        let it = Remembering::new(|evidence| set_until(evidence, NOW + 60));
        let later = it.verify(&it.quote, &it.collateral, NOW + 61);
        assert_eq!(later.code, VerdictCode::Expired, "{later}");
        let earlier = it.verify(&it.quote, &it.collateral, NOW - 101 * DAY);
        assert_eq!(earlier.code, VerdictCode::NotYetValid, "{earlier}");
        assert_eq!(it.verify(&it.quote, &it.collateral, NOW).decision, Decision::Trusted);
    }
}

#[test]
fn a_new_crl_counts_at_once() {
    let it = Remembering::new(|_| ());
    let crl = |signer, revoked| {
        let spec = CrlSpec { revoked: vec![revoked as u64 + 1], ..CrlSpec::by(signer) };
        pki::crl(&it.evidence.certificates, &spec)
    };
    let revoked = [
        Collateral { pck_crl: crl(Who::PckCa, Who::Pck), ..it.collateral.clone() },
        Collateral { root_ca_crl: crl(Who::Root, Who::PckCa), ..it.collateral.clone() },
        Collateral { root_ca_crl: crl(Who::Root, Who::TcbSigner), ..it.collateral.clone() },
    ];
    for collateral in revoked {
        for _ in 0..2 {
            let verdict = it.verify(&it.quote, &collateral, NOW);
            assert_eq!(verdict.code, VerdictCode::CertificateRevoked, "{verdict}");
        }
    }
    let unrelated = Collateral { pck_crl: crl(Who::PckCa, Who::Stranger), ..it.collateral.clone() };
    assert_eq!(it.verify(&it.quote, &unrelated, NOW).decision, Decision::Trusted);
    // Of another CA, with the right name.
    let foreign =
        Collateral { pck_crl: crl(Who::Stranger, Who::Stranger), ..it.collateral.clone() };
    assert_ne!(it.verify(&it.quote, &foreign, NOW).decision, Decision::Trusted);
}

#[test]
fn only_the_signature_of_a_known_platform_is_not_remembered() {
    let it = Remembering::new(|_| ());
    let mut quote = Quote::parse(&it.quote).unwrap();
    quote.signature.signature[0] ^= 1;
    let verdict = it.verify(&quote.to_bytes(), &it.collateral, NOW);
    assert_eq!(verdict.code, VerdictCode::QuoteModified, "{verdict}");
}

#[test]
fn other_roots_have_another_verifier() {
    let it = Remembering::new(|_| ());
    let intel = Verifier::new(TrustedRoots::intel());
    let now = at(NOW.cast_unsigned());
    let verdict = intel.verify(&it.quote, &it.collateral, now, &lenient());
    assert_eq!(verdict.code, VerdictCode::UntrustedRoot, "{verdict}");
}

#[test]
fn threads_share_a_verifier() {
    let it = Remembering::new(|_| ());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (now, policy) = (at(NOW.cast_unsigned()), lenient());
                for _ in 0..50 {
                    let verdict = it.verifier.verify(&it.quote, &it.collateral, now, &policy);
                    assert!(verdict.trusted().is_some(), "{verdict}");
                }
            });
        }
    });
}
