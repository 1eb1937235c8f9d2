//! A QE id belongs to the platform that the PCK certificates name, and whoever asks may not change that.
//!
//! A QE id is a claim, and no secret: it stands in each quote. The PPID is in the certificates, under Intel's signature.
//! So the first certificates that are kept for a QE id bind it to their PPID.

use redb::{Error, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::platform::{Certificates, PlatformKey, ppid};
use super::tables::{
    CERTIFICATES, Change, PLATFORMS, UNREGISTERED, clear_certificates, first_and_last,
    has_issuer_chain, take_chosen,
};

/// How many platforms are kept at the most that nobody with a token has registered.
pub(crate) const MAX_UNREGISTERED: u64 = 100_000;

/// By what right certificates come to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// None: somebody has asked for them. What is kept stays.
    Anyone,
    /// What is kept is fetched again.
    Refresh,
    /// The user token: a platform registers.
    User,
    /// The admin token.
    Administrator,
}

/// What a QE id is bound to, compared with certificates.
enum Binding {
    None,
    Same,
    Other { is_registered: bool },
}

/// What may be done with these certificates; `None`: nothing. What is kept of another platform is gone if they may take
/// its place.
pub(super) fn change(
    write: &WriteTransaction,
    key: &PlatformKey,
    certificates: &Certificates,
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

/// The PPID in the certificates that are kept for the QE id.
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
