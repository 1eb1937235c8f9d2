//! Everything that makes quotes is a [`Quoter`], in this process or elsewhere.
//!
//! The service serves a Quoter; command line and tests call one, chosen in one place:
//! [`QuotingMode`].

#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

mod aesm_quoter;
mod application;
mod canary;
mod dcap;
mod error;
mod in_process;
mod mode;
mod platform;
mod reply_check;
mod software_quoter;

use std::pin::Pin;

use sgx::{AttestationKeyId, QeReportInfo, Report, TargetInfo};

pub use aesm_quoter::AesmQuoter;
pub use application::{ApplicationQuoter, guarded, required};
pub use canary::{Canary, CanaryError, REAL_QE_ANSWERS};
pub use dcap::DcapQuoter;
pub use error::QuotingError;
pub use in_process::{QUOTE_HELPER_STATE_DIR, default_state_dir, open_in_process};
pub use mode::{DEFAULT_SOCKET, InvalidAddress, QuotingMode, SGX_AESM_ADDR};
pub use platform::{
    DCAP_LIBRARY, Platform, QUOTE_HELPER_PLATFORM, SGX_ENCLAVE_DEVICE, UnknownPlatform,
    find_library,
};
pub use reply_check::WrongReply;
pub use software_quoter::SoftwareQuoter;

/// Makes quotes under one or more attestation keys.
///
/// Every client calls the other methods before its first [`Quoter::quote`].
pub trait Quoter: Send + Sync {
    /// The ids of the attestation keys, the preferred one first; at least one.
    ///
    /// # Errors
    /// [`QuotingError`] when the keys are unknown.
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError>;

    /// Makes the attestation key ready if necessary, and returns it with the QE's target info.
    ///
    /// # Errors
    /// [`QuotingError`], for instance with [`AesmError::UnsupportedAttKeyId`](sgx::AesmError).
    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError>;

    /// The size of every quote under this key, in bytes.
    ///
    /// # Errors
    /// [`QuotingError`], with [`AesmError::AttKeyNotInitialized`](sgx::AesmError) where the key is
    /// not ready.
    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError>;

    /// Makes a quote. Idempotent: nothing but the signature's nonce differs.
    ///
    /// # Errors
    /// [`QuotingError`], with [`AesmError::InvalidReport`](sgx::AesmError) for a REPORT that was
    /// not made for this Quoter's QE.
    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError>;
}

/// A [`Quoter`] for a service, which has one thread for all its clients.
///
/// It answers all calls but those for quotes at once, from memory, whatever its quoting is doing.
pub trait ServedQuoter: Quoter {
    /// The way in which the service makes quotes.
    fn execution(&self) -> Execution<'_>;
}

/// The way in which a service makes quotes.
pub enum Execution<'a> {
    /// On its thread, by a [`Quoter::quote`] that takes microseconds and never blocks: handing it
    /// to another thread would cost as much.
    Inline,
    /// By awaiting the quote.
    Async(&'a dyn AsyncQuoter),
}

/// Makes quotes without blocking the calling thread.
pub trait AsyncQuoter: Send + Sync {
    /// As [`Quoter::quote`]. Quotes of different flows are made round-robin.
    fn quote(&self, request: Box<QuoteRequest>, flow: Flow) -> FutureQuote;
}

/// A flow of requests in fair queueing. Tenants are served round-robin, and so are the users of
/// each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flow {
    /// A number for the tenant: a pod or a user of the machine, for instance.
    pub tenant: u64,
    /// A number for the user within it.
    pub user: u8,
}

/// The result of [`AsyncQuoter::quote`].
pub type FutureQuote = Pin<Box<dyn Future<Output = Result<QuoteReply, QuotingError>> + Send>>;

/// Checks that the id names the one key of every platform: ECDSA P-256 by Intel's QE, or by the
/// software platform's in its place.
///
/// # Errors
/// [`QuotingError`] with [`AesmError::UnsupportedAttKeyId`](sgx::AesmError).
pub fn check_key_id(key_id: &AttestationKeyId) -> Result<(), QuotingError> {
    if AttestationKeyId::ecdsa_p256().names_same_key(key_id) {
        return Ok(());
    }
    let detail = "there is an ECDSA P-256 attestation key only";
    Err(QuotingError::new(sgx::AesmError::UnsupportedAttKeyId, detail))
}

/// The facts that an application enclave needs for a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationKey {
    /// Target info of the QE, for EREPORT.
    pub target_info: TargetInfo,
    /// SHA-256 over the attestation key, its id in the QE.
    pub public_key_id: [u8; 32],
}

/// A request for a quote.
#[derive(Debug, Clone)]
pub struct QuoteRequest {
    /// The application enclave's REPORT, made for the QE.
    pub report: Report,
    /// The attestation key to sign with.
    pub key_id: AttestationKeyId,
    /// Nonce and target info, when the caller wants proof that the real QE answered.
    pub qe_report_info: Option<QeReportInfo>,
}

/// A quote and, if requested, the proof that the QE made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteReply {
    /// The quote without padding.
    pub quote: Vec<u8>,
    /// The request's QE report info with the QE's REPORT filled in.
    pub qe_report_info: Option<QeReportInfo>,
}
