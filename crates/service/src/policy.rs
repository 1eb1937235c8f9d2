//! The policy: callers and enclaves that get quotes.

use sgx::{AesmError, MrEnclave, MrSigner, ReportBody};

/// The callers and enclaves that get quotes; all by default.
///
/// The Quoting Enclave checks a REPORT afterwards, so that a made-up one may pass here but gets no
/// quote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The users whose processes get quotes; an empty list allows none.
    pub allowed_uids: Option<Vec<u32>>,
    /// The signers whose enclaves get quotes, besides those in `allowed_mrenclaves`.
    pub allowed_mrsigners: Option<Vec<MrSigner>>,
    /// The enclaves that get quotes, besides those of `allowed_mrsigners`.
    pub allowed_mrenclaves: Option<Vec<MrEnclave>>,
    /// Refuses debug enclaves, which keep no secrets.
    pub refuse_debug: bool,
}

/// The reason of a refusal, for the log: the protocol has no code for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("uid {0} is not among allowed_uids")]
    Uid(u32),
    #[error("the REPORT claims MRSIGNER {0} and MRENCLAVE {1}, of which none is allowed")]
    Enclave(MrSigner, MrEnclave),
    #[error("the REPORT claims to be of a debug enclave")]
    Debug,
}

impl Refusal {
    /// The code for the caller: there is no such attestation key, not for this caller.
    ///
    /// No client retries after this code, and each function of Intel's library has a status of its
    /// own for it. 30 looks like a transient outage, 17, 18 and 42 are retried by design, 1 looks
    /// like a fault of the service, and after 3 clients try another size of their buffer.
    pub(crate) const CODE: AesmError = AesmError::UnsupportedAttKeyId;
}

impl Policy {
    /// Checks that the user gets a quote of this REPORT.
    ///
    /// # Errors
    /// The first reason for a refusal.
    pub(crate) fn check(&self, uid: u32, body: &ReportBody) -> Result<(), Refusal> {
        if self.allowed_uids.as_ref().is_some_and(|allowed| !allowed.contains(&uid)) {
            return Err(Refusal::Uid(uid));
        }
        if !self.allows_enclave(body) {
            return Err(Refusal::Enclave(body.mr_signer, body.mr_enclave));
        }
        if self.refuse_debug && body.attributes.is_debug() {
            return Err(Refusal::Debug);
        }
        Ok(())
    }

    fn allows_enclave(&self, body: &ReportBody) -> bool {
        let (signers, enclaves) = (&self.allowed_mrsigners, &self.allowed_mrenclaves);
        (signers.is_none() && enclaves.is_none())
            || signers.as_ref().is_some_and(|allowed| allowed.contains(&body.mr_signer))
            || enclaves.as_ref().is_some_and(|allowed| allowed.contains(&body.mr_enclave))
    }
}

#[cfg(test)]
mod tests {
    use sgx::{Attributes, QuoteExCall, SgxStatus};

    use super::*;

    const SIGNER: MrSigner = MrSigner([0x51; 32]);
    const ENCLAVE: MrEnclave = MrEnclave([0xe2; 32]);

    fn body() -> ReportBody {
        let mut body = ReportBody::default();
        (body.mr_signer, body.mr_enclave) = (SIGNER, ENCLAVE);
        body
    }

    fn debug_body() -> ReportBody {
        let mut body = body();
        body.attributes = Attributes::new(Attributes::DEBUG, 3);
        body
    }

    #[test]
    fn every_caller_gets_quotes_without_a_policy() {
        assert_eq!(Policy::default().check(u32::MAX, &debug_body()), Ok(()));
    }

    #[test]
    fn users_are_listed() {
        let policy = Policy { allowed_uids: Some(vec![0, 1000]), ..Policy::default() };
        assert_eq!(policy.check(1000, &body()), Ok(()));
        let refusal = policy.check(1001, &body()).unwrap_err();
        assert_eq!(refusal.to_string(), "uid 1001 is not among allowed_uids");
        let nobody = Policy { allowed_uids: Some(vec![]), ..Policy::default() };
        assert_eq!(nobody.check(0, &body()), Err(Refusal::Uid(0)));
    }

    #[test]
    fn a_match_in_either_list_is_enough() {
        let (others, ours) = (Some(vec![MrSigner([0; 32])]), Some(vec![SIGNER]));
        let (other_enclaves, our_enclaves) = (Some(vec![MrEnclave([0; 32])]), Some(vec![ENCLAVE]));
        for (allowed_mrsigners, allowed_mrenclaves, allowed) in [
            (&ours, &None, true),
            (&None, &our_enclaves, true),
            (&ours, &other_enclaves, true),
            (&others, &our_enclaves, true),
            (&others, &None, false),
            (&None, &other_enclaves, false),
            (&others, &other_enclaves, false),
            (&Some(vec![]), &None, false),
        ] {
            let policy = Policy {
                allowed_mrsigners: allowed_mrsigners.clone(),
                allowed_mrenclaves: allowed_mrenclaves.clone(),
                ..Policy::default()
            };
            assert_eq!(policy.check(0, &body()).is_ok(), allowed, "{policy:?}");
        }
        let policy = Policy { allowed_mrsigners: others, ..Policy::default() };
        let expected = format!(
            "the REPORT claims MRSIGNER {SIGNER} and MRENCLAVE {ENCLAVE}, of which none is allowed"
        );
        assert_eq!(policy.check(0, &body()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn debug_enclaves_are_refused_even_if_they_are_listed() {
        let policy = Policy {
            allowed_mrenclaves: Some(vec![ENCLAVE]),
            refuse_debug: true,
            ..Policy::default()
        };
        assert_eq!(policy.check(0, &body()), Ok(()));
        let refusal = policy.check(0, &debug_body()).unwrap_err();
        assert_eq!(refusal.to_string(), "the REPORT claims to be of a debug enclave");
    }

    #[test]
    fn each_function_of_intels_library_tells_a_refusal_from_other_errors() {
        for call in [QuoteExCall::Init, QuoteExCall::Size, QuoteExCall::Quote] {
            let status = SgxStatus::of_aesm(Refusal::CODE, call);
            assert_eq!(status, SgxStatus::UNSUPPORTED_ATT_KEY_ID);
        }
    }
}
