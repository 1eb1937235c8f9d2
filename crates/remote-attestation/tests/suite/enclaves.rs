//! The library: whom an enclave believes.

use quoting::{AttestationKey, QuoteReply, QuoteRequest, Quoter, QuotingError, SoftwareQuoter};
use remote_attestation::{Application, AttestationError, Offer, PublicKey};
use sgx::AttestationKeyId;
use verify::{Decision, TrustedRoots};

use crate::machine::Machine;

/// Somebody between the enclave and the QE.
struct InBetween {
    quoter: SoftwareQuoter,
    change: fn(&SoftwareQuoter, &QuoteRequest, QuoteReply) -> QuoteReply,
}

impl Quoter for InBetween {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        self.quoter.attestation_key_ids()
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        self.quoter.initialize(key_id)
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        self.quoter.quote_size(key_id)
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        let reply = self.quoter.quote(request)?;
        Ok((self.change)(&self.quoter, request, reply))
    }
}

/// The result of an enclave whose reply was changed like this.
fn offer(
    change: fn(&SoftwareQuoter, &QuoteRequest, QuoteReply) -> QuoteReply,
) -> Result<Offer, AttestationError> {
    let quoter = InBetween { quoter: Machine::new().quoter(), change };
    Application::start("alice").unwrap().offer(&quoter)
}

#[test]
fn an_enclave_takes_quotes_of_the_qe_only() {
    assert!(offer(|_, _, reply| reply).is_ok());
    let without_proof = offer(|_, _, reply| QuoteReply { qe_report_info: None, ..reply });
    assert!(matches!(without_proof, Err(AttestationError::NotFromQe(_))), "{without_proof:?}");
    let other_quote = offer(|_, _, mut reply| {
        reply.quote[500] ^= 1;
        reply
    });
    assert!(matches!(other_quote, Err(AttestationError::NotFromQe(_))), "{other_quote:?}");
    let forged = offer(|_, _, mut reply| {
        reply.qe_report_info.as_mut().unwrap().qe_report.body.report_data.0[0] ^= 1;
        reply
    });
    assert!(matches!(forged, Err(AttestationError::QeReport(_))), "{forged:?}");
}

#[test]
fn an_answer_to_another_question_is_no_proof() {
    let replayed = offer(|quoter, request, _| {
        let mut other = request.clone();
        other.qe_report_info.as_mut().unwrap().nonce = [0; 16];
        quoter.quote(&other).unwrap()
    });
    assert!(matches!(replayed, Err(AttestationError::NotFromQe(_))), "{replayed:?}");
}

#[test]
fn only_the_right_enclave_with_its_own_key_is_trusted() {
    let machine = Machine::new();
    let (quoter, verifier) = (machine.quoter(), machine.verifier());
    let bobs = Application::start("bob").unwrap().offer(&quoter).unwrap();
    assert!(verifier.verify(&bobs, "bob").trusted().is_some());

    assert_eq!(verifier.verify(&bobs, "alice").decision, Decision::Refused);
    let swapped = Offer { public_key: PublicKey([7; 32]), ..bobs.clone() };
    assert_eq!(verifier.verify(&swapped, "bob").decision, Decision::Refused);
    let mut verifier = verifier;
    verifier.roots = TrustedRoots::intel();
    assert_eq!(verifier.verify(&bobs, "bob").trusted(), None);
}

#[test]
fn both_agree_on_the_same_key_and_nobody_else_does() {
    let [alice, bob, mallory] =
        ["alice", "bob", "mallory"].map(|name| Application::start(name).unwrap());
    let quoter = Machine::new().quoter();
    let [to_bob, to_alice] =
        [&alice, &bob].map(|application| application.offer(&quoter).unwrap().public_key);
    let (alices, bobs) = (alice.agree(&to_alice).unwrap(), bob.agree(&to_bob).unwrap());
    let mallorys = mallory.agree(&to_bob).unwrap();
    let sealed = alices.seal("alice", "the secret is 42").unwrap();
    assert_eq!(bobs.open("alice", &sealed).unwrap(), "the secret is 42");
    assert!(mallorys.open("alice", &sealed).is_err());
}

#[test]
fn a_key_of_low_order_is_refused() {
    let alice = Application::start("alice").unwrap();
    assert!(matches!(alice.agree(&PublicKey([0; 32])), Err(AttestationError::NoAgreement)));
}
