//! The binding of QE ids to platforms, which requests without a token cannot change.
//!
//! A QE id in a request is an unproven claim, and no secret: it is part of each quote. The PPID is
//! in the certificates, under Intel's signature. So the first certificates stored for a QE id bind
//! it to their PPID.

use redb::{Error, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::platform::{PckCertificates, PlatformKey, ppid};
use super::tables::{
    CERTIFICATES, Change, PLATFORMS, UNREGISTERED, clear_certificates, first_and_last,
    has_issuer_chain, take_chosen,
};

/// Maximum platforms that no token holder has registered.
pub(crate) const MAX_UNREGISTERED: u64 = 100_000;

/// The authority of a request that stores certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// A request without a token. Stored certificates stay.
    Anyone,
    /// A refresh.
    Refresh,
    /// The user token: a platform registers.
    User,
    /// The admin token.
    Administrator,
}

/// The binding of a QE id, compared with new certificates.
enum Binding {
    None,
    Same,
    Other { is_registered: bool },
}

/// The change that is allowed with these certificates, if any. Removes the data of another platform
/// that they may replace.
pub(super) fn change(
    write: &WriteTransaction,
    key: &PlatformKey,
    certificates: &PckCertificates,
    authority: Authority,
) -> Result<Option<Change>, Error> {
    let mut unregistered = write.open_table(UNREGISTERED)?;
    let is_registered = unregistered.get(&key.to_bytes())?.is_none();
    let is_known = write.open_table(PLATFORMS)?.get(&key.to_bytes())?.is_some();
    let binding = match (bound_ppid(&write.open_table(CERTIFICATES)?, key)?, certificates.ppid()) {
        _ if !is_known => Binding::None,
        (bound, ppid) if bound == ppid => Binding::Same,
        _ => Binding::Other { is_registered },
    };
    let change = match (&binding, authority) {
        (Binding::None, Authority::Anyone) if unregistered.len()? >= MAX_UNREGISTERED => None,
        (Binding::None, _) => Some(Change::Replace),
        // All certificates of a platform are served with one issuer chain.
        (Binding::Same, Authority::Anyone) => {
            has_issuer_chain(write, key, &certificates.issuer_chain)?.then_some(Change::Add)
        }
        (Binding::Same, _) => Some(Change::Replace),
        (Binding::Other { .. }, Authority::Administrator)
        | (Binding::Other { is_registered: false }, Authority::User) => {
            forget(write, key)?;
            Some(Change::Replace)
        }
        (Binding::Other { .. }, _) => None,
    };
    match (change, authority) {
        (Some(Change::Replace), Authority::Anyone) => unregistered.insert(&key.to_bytes(), ())?,
        (Some(_), Authority::User | Authority::Administrator) => {
            unregistered.remove(&key.to_bytes())?
        }
        _ => None,
    };
    Ok(change)
}

/// The PPID in the stored certificates of the QE id.
pub(super) fn bound_ppid(
    certificates: &impl ReadableTable<&'static [u8; 36], &'static [u8]>,
    key: &PlatformKey,
) -> Result<Option<[u8; 16]>, Error> {
    let [first, last] = first_and_last(key);
    let certificate = certificates.range::<&[u8; 36]>(&first..=&last)?.next().transpose()?;
    Ok(certificate.and_then(|(_, der)| ppid(der.value())))
}

fn forget(write: &WriteTransaction, key: &PlatformKey) -> Result<(), Error> {
    write.open_table(PLATFORMS)?.remove(&key.to_bytes())?;
    clear_certificates(write, key)?;
    take_chosen(write, key).map(drop)
}
