//! Quote verification as a pure function of quote, collateral, roots, time and policy.
//!
//! [`verify`] answers one question: may I trust that the enclave or the trust domain (TD) this
//! quote describes runs on a genuine, current platform, and is the one I expect? There is no clock
//! and no network here: the same arguments give the same [`Verdict`].
//!
//! First each piece is checked by itself and against the others, by the same functions as when it
//! is kept, and by the rules of Intel's verifier. Then the `dcap-qvl` crate is the authority: only
//! when it accepts the evidence, too, have the steps passed, and only then does the [`Policy`] look
//! at what was proved. When it refuses, its further [`Step`]s are walked through one by one to say
//! where and why.
//!
//! A verdict has one of three [`Decision`]s:
//! - **trusted**: the evidence proves what the quote says, and the policy agrees;
//! - **refused**: the evidence can be read, and says no. The quote's certificates do not lead to a
//!   trusted root, a signature is wrong, a certificate is revoked, the QE is not the one that was
//!   published, the TCB is below every published level or revoked, or the policy disagrees;
//! - **undecided**: evidence is missing or unusable, so nothing was found out. The bytes are no
//!   quote of a kind that is supported, there is no PCK certificate, collateral cannot be read, is
//!   of another root or platform than the quote, or is outside its dates (expired or not yet valid,
//!   certificates too).
//!
//! The reason is a [`VerdictCode`] for programs, and a sentence for people.
//!
//! Whoever keeps collateral checks it piece by piece, as it comes from a PCS or a PCCS:
//! [`check_pck_certificate`], [`check_pck_crl`], [`check_root_ca_crl`], [`check_tcb_info`],
//! [`check_enclave_identity`]. [`TcbInfo::assess`] says what a platform lacks.

mod attested;
mod checked_evidence;
mod code;
mod collateral;
mod diagnosis;
mod evidence;
mod failure;
mod policy;
mod roots;
mod signatures;
mod step;
mod tcb_level;
mod tcb_status;
mod td_level;
mod verdict;

use std::time::SystemTime;

use sgx::Collateral;

pub use attested::{Attested, AttestedPlatform, AttestedTcb, Enclave, Td, TdExtension};
pub use code::VerdictCode;
pub use collateral::{
    ClaimedRoot, CollateralError, EnclaveId, EnclaveIdentity, PckCa, PckCertificate, PckCrl,
    PlatformFeature, PlatformFeatures, RootCaCrl, RootKind, SgxExtension, SgxType, Shortfall,
    Signer, TcbAssessment, TcbComponent, TcbInfo, TcbLevel, TcbPart, UnknownPlatformFeature,
    Validity, check_enclave_identity, check_pck_certificate, check_pck_crl, check_pck_issuer_chain,
    check_root_ca_crl, check_tcb_info,
};
pub use policy::Policy;
pub use roots::{RootError, TrustedRoot, TrustedRoots};
pub use sgx::Tee;
pub use step::{Step, StepOutcome, StepResult};
pub use tcb_status::{TcbStatus, UnknownTcbStatus};
pub use verdict::{Decision, Verdict};

/// Verifies a quote, which may be padded with zeros as AESM replies are.
///
/// `now` is the time at which certificates and collateral have to be valid; a time before 1970
/// counts as 1970.
#[must_use]
pub fn verify(
    quote: &[u8],
    collateral: &Collateral,
    roots: &TrustedRoots,
    now: SystemTime,
    policy: &Policy,
) -> Verdict {
    let quote = match evidence::parse(quote) {
        Ok(quote) => quote,
        Err(failure) => return Verdict::of_failure(failure, policy),
    };
    let verdict = match evidence::check(&quote, collateral, roots, now) {
        Ok(attested) => Verdict::of_policy(attested, policy),
        Err(failure) => Verdict::of_failure(failure, policy),
    };
    verdict.with_root(ClaimedRoot::of_quote(&quote))
}

/// The verdict on a quote that needs no collateral: it cannot be read, or its own certificates lead
/// to a root that is not trusted. `None` if the collateral decides.
#[must_use]
pub fn verify_root(quote: &[u8], roots: &TrustedRoots, policy: &Policy) -> Option<Verdict> {
    let quote = match evidence::parse(quote) {
        Ok(quote) => quote,
        Err(failure) => return Some(Verdict::of_failure(failure, policy)),
    };
    let failure = evidence::check_root(&quote, roots).err()?;
    Some(Verdict::of_failure(failure, policy).with_root(ClaimedRoot::of_quote(&quote)))
}
