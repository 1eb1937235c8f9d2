//! The Quoter of an application, and other parts that the C libraries share.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use aesm::{Client, ClientError};
use sgx::{AesmError, QuoteExCall, SgxStatus};

use crate::{
    AesmQuoter, InvalidAddress, Platform, QuoteReply, Quoter, QuotingError, QuotingMode,
    default_state_dir, open_in_process,
};

/// The one Quoter of a process that has loaded a C library.
///
/// No lock is held while a Quoter is opened or makes a quote, and each request to a service has a
/// connection of its own, so that a child that is forked meanwhile can go on. (Only Intel's
/// enclaves do not survive a fork.)
pub struct ApplicationQuoter {
    mode: OnceLock<Result<QuotingMode, InvalidAddress>>,
    quoter: OnceLock<Box<dyn Quoter>>,
}

impl ApplicationQuoter {
    /// Without a mode or a Quoter yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one, in a static")]
    pub const fn new() -> Self {
        Self { mode: OnceLock::new(), quoter: OnceLock::new() }
    }

    /// The mode, chosen by the environment at the first call, which libraries make when they are
    /// loaded.
    ///
    /// # Errors
    /// [`InvalidAddress`] when [`SGX_AESM_ADDR`](crate::SGX_AESM_ADDR) had no usable value then.
    pub fn mode(&self) -> Result<&QuotingMode, InvalidAddress> {
        self.mode.get_or_init(QuotingMode::of_process).as_ref().map_err(Clone::clone)
    }

    /// The Quoter, opened at the first call. A service has the timeout of other AESM clients, a
    /// restart included.
    ///
    /// # Errors
    /// [`QuotingError`] when it cannot be opened. The next call tries again.
    pub fn quoter(&self) -> Result<&dyn Quoter, QuotingError> {
        if let Some(quoter) = self.quoter.get() {
            return Ok(&**quoter);
        }
        // Outside of the lock: otherwise a child that is forked meanwhile would wait for it
        // forever.
        let opened = self.open()?;
        Ok(&**self.quoter.get_or_init(|| opened))
    }

    fn open(&self) -> Result<Box<dyn Quoter>, QuotingError> {
        match self.mode()? {
            QuotingMode::InProcess => {
                open_in_process(Platform::of_process()?, &default_state_dir()?)
            }
            QuotingMode::OutOfProcess(socket) => {
                let time = Client::DEFAULT_TIMEOUT;
                Ok(Box::new(AesmQuoter::new(socket, time).reconnect_timeout(time)))
            }
        }
    }
}

impl QuotingError {
    /// The status that Intel's `libsgx_quote_ex` returns for this error: by the number of a
    /// service's reply, or a status of its own for each way of getting none.
    #[must_use]
    pub fn sgx_status(&self, call: QuoteExCall) -> SgxStatus {
        match self {
            Self::Service(ClientError::Connect { .. }) => SgxStatus::SERVICE_UNAVAILABLE,
            Self::Service(ClientError::Timeout { .. }) => SgxStatus::SERVICE_TIMEOUT,
            Self::Service(ClientError::Disconnected(_)) => SgxStatus::UNEXPECTED,
            _ => SgxStatus::of_aesm(self.code(), call),
        }
    }
}

impl QuoteReply {
    /// Writes the quote into a C caller's buffer, padded with zeros.
    ///
    /// # Errors
    /// [`QuotingError`] with [`AesmError::Parameter`] when the quote is larger than the buffer.
    pub fn write_to(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<(), QuotingError> {
        let (size, needed) = (buffer.len(), self.quote.len());
        let Some((quote, padding)) = buffer.split_at_mut_checked(needed) else {
            let detail = format!("the buffer has {size} bytes, and the quote {needed}");
            return Err(QuotingError::new(AesmError::Parameter, detail));
        };
        for (place, byte) in quote.iter_mut().zip(&self.quote) {
            place.write(*byte);
        }
        padding.fill(MaybeUninit::new(0));
        Ok(())
    }
}

/// A required argument of a C caller, `None` for NULL.
///
/// # Errors
/// [`QuotingError`] with [`AesmError::Parameter`] for NULL; it names the argument.
pub fn required<T>(argument: Option<T>, name: &str) -> Result<T, QuotingError> {
    argument.ok_or_else(|| QuotingError::new(AesmError::Parameter, format!("{name} is NULL")))
}

/// Calls `serve`, and turns a panic into an error, since C code cannot catch it.
///
/// # Errors
/// Those of `serve`; [`QuotingError`] with [`AesmError::Unexpected`] in place of a panic.
pub fn guarded<T, E: From<QuotingError>>(serve: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // A panic can leave only the caller's memory half-written, which an error does not rule out.
    catch_unwind(AssertUnwindSafe(serve)).unwrap_or_else(|_| {
        let detail = "the library panicked; please report it, with the output on stderr";
        Err(QuotingError::new(AesmError::Unexpected, detail).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guarded::<(), QuotingError>(|| panic!("on purpose")).unwrap_err();
        assert_eq!(error.code(), AesmError::Unexpected);
        assert_eq!(guarded::<_, QuotingError>(|| Ok(7)).unwrap(), 7);
    }

    #[test]
    fn a_quote_does_not_go_into_a_smaller_buffer() {
        let reply = QuoteReply { quote: vec![1, 2, 3], qe_report_info: None };
        let mut buffer = [MaybeUninit::new(9); 3];
        assert!(reply.write_to(&mut buffer).is_ok());
        let error = reply.write_to(&mut buffer[..2]).unwrap_err();
        assert_eq!(error.code(), AesmError::Parameter);
    }
}
