//! Quote verification as a pure function of quote, collateral, roots, time and policy.
//!
//! [`verify`] decides if the quoted enclave or trust domain (TD) runs on a genuine, current
//! platform and is the expected one. The crate has no clock and no network: the same arguments give
//! the same [`Verdict`].
//!
//! 1. Each [`Step`] of the evidence is checked by the rules of Intel's verifier; certificates,
//!    CRLs, TCB info and QE identity with the functions that collateral caches use. A [`Verifier`]
//!    remembers what does not change from quote to quote.
//! 2. The [`Policy`] is applied to what the evidence proves.
//!
//! Tests compare the outcome with that of the crate `dcap-qvl`.
//!
//! A verdict has one of three [`Decision`]s:
//! - **trusted**: the evidence holds, and the policy accepts the enclave or TD;
//! - **refused**: the evidence can be read and is against the quote. The quote leads to an
//!   untrusted root, a signature is wrong, a certificate is revoked, the QE is not the published
//!   one, the TCB is revoked or below every published level, or the policy refuses;
//! - **undecided**: evidence is missing or unusable. The bytes are not a supported quote, there is
//!   no PCK certificate, or collateral is unreadable, expired, not yet valid, or of another root or
//!   platform.
//!
//! The reason is a [`VerdictCode`] for programs, and a sentence for people.
//!
//! Caches check single items of collateral with [`check_pck_certificate`], [`check_pck_crl`],
//! [`check_root_ca_crl`], [`check_tcb_info`] and [`check_enclave_identity`]. [`TcbInfo::assess`]
//! lists the updates that a platform lacks.

mod attestation_key;
mod attested;
mod checked_collateral;
mod code;
mod collateral;
mod evidence;
mod examination;
mod failure;
mod memory;
mod platform_level;
mod policy;
mod quoting_enclave;
mod roots;
mod signatures;
mod step;
mod tcb_level;
mod tcb_status;
mod td_attributes;
mod td_level;
mod verdict;
mod verifier;

use std::time::SystemTime;

use sgx::Collateral;

pub use attested::{Attested, AttestedPlatform, AttestedTcb, Enclave, Td, TdExtension};
pub use code::VerdictCode;
pub use collateral::{
    ClaimedRoot, CollateralDates, CollateralError, EnclaveId, EnclaveIdentity, PckCa,
    PckCertificate, PckCrl, PlatformFeature, PlatformFeatures, RootCaCrl, RootKind, SgxExtension,
    SgxType, Shortfall, Signer, TcbAssessment, TcbComponent, TcbInfo, TcbLevel, TcbPart,
    UnknownPlatformFeature, Validity, check_enclave_identity, check_pck_certificate, check_pck_crl,
    check_pck_issuer_chain, check_root_ca_crl, check_tcb_info, claimed_pck_ca,
};
pub use examination::{Examination, QeLevel};
pub use failure::Failure;
pub use policy::{
    EnclavePolicy, MaskedBits, PlatformPolicy, Policy, SigStructError, SignedProduct, TcbPolicy,
    TdPolicy, WrongMaskedBits,
};
pub use roots::{RootError, TrustedRoot, TrustedRoots};
pub use sgx::Tee;
pub use step::{Step, StepOutcome, StepResult};
pub use tcb_status::{TcbStatus, UnknownTcbStatus};
pub use verdict::{Decision, Verdict};
pub use verifier::Verifier;

/// Verifies a quote, which may be padded with zeros as in AESM replies.
///
/// Certificates and collateral must be valid at `now`. To verify several quotes a [`Verifier`] is
/// faster.
#[must_use]
pub fn verify(
    quote: &[u8],
    collateral: &Collateral,
    roots: &TrustedRoots,
    now: SystemTime,
    policy: &Policy,
) -> Verdict {
    Verifier::new(roots.clone()).verify(quote, collateral, now, policy)
}

/// The verdict on a quote that is unreadable or leads to an untrusted root; `None` if it takes
/// collateral to decide.
#[must_use]
pub fn verify_root(quote: &[u8], roots: &TrustedRoots, policy: &Policy) -> Option<Verdict> {
    let quote = match evidence::parse(quote) {
        Ok(quote) => quote,
        Err(failure) => return Some(Verdict::of_failure(failure, policy)),
    };
    let failure = evidence::check_root(&quote, roots).err()?;
    Some(Verdict::of_failure(failure, policy).with_root(ClaimedRoot::of_quote(&quote)))
}
