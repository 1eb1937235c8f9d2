//! The errors of collateral.

use std::time::SystemTime;

use super::{PCK_CRL, ROOT_CA_CRL};

/// Unusable collateral. `what` names the item, such as `the TCB info`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollateralError {
    /// It cannot be read, or is something else.
    #[error(
        "{what} cannot be used: {reason}; check that its source is a PCS or a PCCS, API version 4, \
         or use another source"
    )]
    Unreadable {
        /// The item.
        what: String,
        /// The reason.
        reason: String,
    },
    /// It is of another root.
    #[error(
        "{what} leads to the root \"{root}\", which is not trusted; use a source whose \
         certificates are Intel's, or trust this root if it is your own software platform's"
    )]
    UntrustedRoot {
        /// The item.
        what: String,
        /// Subject and SHA-256 of that root.
        root: String,
    },
    /// A signature is wrong, or by the wrong issuer.
    #[error("{what} {reason}; it was modified or assembled wrongly: use another source")]
    WronglySigned {
        /// The item.
        what: String,
        /// The reason.
        reason: String,
    },
    /// It is not valid yet.
    #[error("{what} is not valid before {from}; check this machine's clock", from = printable::rfc3339(*from))]
    NotYetValid {
        /// The item.
        what: String,
        /// The beginning of its validity.
        from: SystemTime,
    },
    /// It has expired.
    #[error(
        "{what} expired at {until}; fetch it again, if need be from another source",
        until = printable::rfc3339(*until)
    )]
    Expired {
        /// The item.
        what: String,
        /// The end of its validity.
        until: SystemTime,
    },
    /// Its issuer has revoked it.
    #[error("{what} is revoked by its issuer's CRL; do not trust it")]
    Revoked {
        /// The item.
        what: String,
    },
}

impl CollateralError {
    /// True if the item is a CRL.
    pub(crate) fn is_of_crl(&self) -> bool {
        [PCK_CRL, ROOT_CA_CRL].contains(&self.item())
    }

    fn item(&self) -> &str {
        match self {
            Self::Unreadable { what, .. }
            | Self::UntrustedRoot { what, .. }
            | Self::WronglySigned { what, .. }
            | Self::NotYetValid { what, .. }
            | Self::Expired { what, .. }
            | Self::Revoked { what } => what,
        }
    }

    pub(super) fn unreadable(what: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Unreadable { what: what.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn wrongly_signed(what: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::WronglySigned { what: what.to_owned(), reason: reason.to_string() }
    }
}
