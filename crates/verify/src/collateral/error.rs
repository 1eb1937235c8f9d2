//! Why a piece of collateral is not to be used.

use std::time::SystemTime;

use super::rfc3339;

/// A piece of collateral that is not to be used. `what` names the piece, such as `the TCB info`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollateralError {
    /// It cannot be read, or is something else.
    #[error(
        "{what} cannot be used: {reason}; see that its source is a PCS or a PCCS, API version 4, \
         or ask another one"
    )]
    Unreadable {
        /// The piece.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another root.
    #[error(
        "{what} leads to the root \"{root}\", which is not trusted; ask a source whose \
         certificates are Intel's, or trust this root if it is your own software platform's"
    )]
    UntrustedRoot {
        /// The piece.
        what: String,
        /// Subject and SHA-256 of the root that it came with.
        root: String,
    },
    /// A signature does not hold, or is by somebody who may not make it.
    #[error("{what} {reason}; it was changed or put together wrongly: ask another source")]
    WronglySigned {
        /// The piece.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Its time has not begun.
    #[error("{what} is not valid before {from}; check this machine's clock", from = date(*from))]
    NotYetValid {
        /// The piece.
        what: String,
        /// When its time begins.
        from: SystemTime,
    },
    /// Its time is over.
    #[error(
        "{what} expired at {until}; fetch it again, from another source if this one has no newer one",
        until = date(*until)
    )]
    Expired {
        /// The piece.
        what: String,
        /// When its time ended.
        until: SystemTime,
    },
    /// Its issuer takes it back.
    #[error("{what} is revoked by its issuer's CRL; trust it no longer")]
    Revoked {
        /// The piece.
        what: String,
    },
}

impl CollateralError {
    pub(super) fn unreadable(what: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Unreadable { what: what.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn wrongly_signed(what: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::WronglySigned { what: what.to_owned(), reason: reason.to_string() }
    }
}

fn date(at: SystemTime) -> String {
    rfc3339(at).unwrap_or_default()
}
