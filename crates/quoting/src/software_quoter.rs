//! Quotes from the software platform, made in this process.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sgx::{AesmError, AttestationKeyId};
use software_platform::{QuoteError, SoftwarePlatform};

use crate::{
    AttestationKey, Execution, QuoteReply, QuoteRequest, Quoter, QuotingError, ServedQuoter,
    check_key_id,
};

/// A Quoter on the software platform. Its attestation key is ready from the start.
///
/// After a TCB recovery, [`SoftwareQuoter::replace`] brings in a platform with another attestation
/// key. As with Intel's, quotes and their size then fail with [`AesmError::AttKeyNotInitialized`]
/// until a client has initialized the new key.
#[derive(Clone)]
pub struct SoftwareQuoter(Arc<RwLock<Current>>);

struct Current {
    platform: Arc<SoftwarePlatform>,
    initialized: bool,
}

impl SoftwareQuoter {
    /// A Quoter on this platform.
    #[must_use]
    pub fn new(platform: Arc<SoftwarePlatform>) -> Self {
        Self(Arc::new(RwLock::new(Current { platform, initialized: true })))
    }

    /// Quotes on this platform from now on, in all clones of this Quoter.
    pub fn replace(&self, platform: Arc<SoftwarePlatform>) {
        let mut current = self.write();
        let same_key = current.platform.public_key_id() == platform.public_key_id();
        current.initialized &= same_key;
        current.platform = platform;
    }

    /// No panic happens while the lock is held, so a poisoned one holds a whole platform all the
    /// same.
    fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The platform, if its attestation key is initialized: another key may change the size of
    /// quotes.
    fn in_use(&self) -> Result<Arc<SoftwarePlatform>, QuotingError> {
        let current = self.read();
        if current.initialized { Ok(Arc::clone(&current.platform)) } else { Err(key_has_changed()) }
    }

    /// The platform, whose attestation key is initialized from now on.
    fn initialized(&self) -> Arc<SoftwarePlatform> {
        let current = self.read();
        if current.initialized {
            return Arc::clone(&current.platform);
        }
        drop(current);
        let mut current = self.write();
        current.initialized = true;
        Arc::clone(&current.platform)
    }
}

impl Quoter for SoftwareQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        Ok(vec![self.read().platform.attestation_key_id()])
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        check_key_id(key_id)?;
        let platform = self.initialized();
        Ok(AttestationKey {
            target_info: platform.target_info(),
            public_key_id: platform.public_key_id(),
        })
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        check_key_id(key_id)?;
        Ok(u32::try_from(self.in_use()?.quote_size()).unwrap_or(u32::MAX))
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        check_key_id(&request.key_id)?;
        let (quote, qe_report_info) = self
            .in_use()?
            .quote(&request.report, request.qe_report_info)
            .map_err(|error| QuotingError::new(code(&error), error.to_string()))?;
        Ok(QuoteReply { quote, qe_report_info })
    }
}

impl ServedQuoter for SoftwareQuoter {
    fn execution(&self) -> Execution<'_> {
        Execution::Inline
    }
}

fn key_has_changed() -> QuotingError {
    let detail = "the attestation key has changed with the platform's TCB";
    QuotingError::new(AesmError::AttKeyNotInitialized, detail)
}

fn code(error: &QuoteError) -> AesmError {
    match error {
        QuoteError::Report(_) => AesmError::InvalidReport,
        _ => AesmError::Unexpected,
    }
}
