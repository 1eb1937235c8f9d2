//! The tables, and operations within a transaction.

use collateral::{Document, PckTcb};
use redb::{Database, Error, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::platform::{PckCertificates, PlatformKey, PlatformRow, StoredPlatform, pem};

pub(super) const PLATFORMS: TableDefinition<'_, &[u8; 18], PlatformRow<'_>> =
    TableDefinition::new("platforms");
pub(super) const CERTIFICATES: TableDefinition<'_, &[u8; 36], &[u8]> =
    TableDefinition::new("certificates");
pub(super) const CHOSEN: TableDefinition<'_, &[u8; 36], &[u8; 18]> = TableDefinition::new("chosen");
pub(super) const ISSUER_CHAINS: TableDefinition<'_, u32, &str> =
    TableDefinition::new("issuer_chains");
pub(super) const REGISTRATIONS: TableDefinition<'_, &[u8; 37], (&[u8], &[u8])> =
    TableDefinition::new("registrations");
/// Platforms that no token holder has registered.
pub(super) const UNREGISTERED: TableDefinition<'_, &[u8; 18], ()> =
    TableDefinition::new("unregistered");

/// Names of platforms that differ from their QE ids.
pub(super) const NAMES: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("names");

/// By FMSPC: the default appraisal policy, a JWT.
pub(super) const DEFAULT_POLICIES: TableDefinition<'_, &[u8; 6], &str> =
    TableDefinition::new("default_policies");

/// The way in which certificates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Existing rows stay.
    Add,
    /// Existing rows are replaced.
    Replace,
}

/// Creates missing tables.
pub(super) fn make(database: &Database) -> Result<(), Error> {
    let write = database.begin_write()?;
    write.open_table(PLATFORMS)?;
    write.open_table(CERTIFICATES)?;
    write.open_table(CHOSEN)?;
    write.open_table(ISSUER_CHAINS)?;
    write.open_table(REGISTRATIONS)?;
    write.open_table(UNREGISTERED)?;
    write.open_table(NAMES)?;
    write.open_table(DEFAULT_POLICIES)?;
    Ok(write.commit()?)
}

/// The key of a row for a platform and a TCB.
pub(super) fn with_tcb(key: &PlatformKey, tcb: &PckTcb) -> [u8; 36] {
    joined(key, &tcb.to_bytes())
}

/// The TCB in such a key.
pub(super) fn tcb_of(key: &[u8; 36]) -> PckTcb {
    let mut tcb = [0; 18];
    tcb.iter_mut().zip(&key[18..]).for_each(|(to, from)| *to = *from);
    PckTcb::from_bytes(&tcb)
}

/// The first and last possible keys of a platform.
pub(super) fn first_and_last(key: &PlatformKey) -> [[u8; 36]; 2] {
    [joined(key, &[0; 18]), joined(key, &[0xff; 18])]
}

fn joined(key: &PlatformKey, end: &[u8; 18]) -> [u8; 36] {
    let mut joined = [0; 36];
    let parts = key.to_bytes().into_iter().chain(*end);
    joined.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    joined
}

/// The platform's certificate for this TCB, with its issuer chain.
pub(super) fn certificate(
    read: &ReadTransaction,
    key: &PlatformKey,
    tcb: &PckTcb,
) -> Result<Option<Document>, Error> {
    let Some(der) = read.open_table(CERTIFICATES)?.get(&with_tcb(key, tcb))? else {
        return Ok(None);
    };
    let Some(platform) = read.open_table(PLATFORMS)?.get(&key.to_bytes())? else {
        return Ok(None);
    };
    let (_, _, number, ..) = platform.value();
    let chain = read.open_table(ISSUER_CHAINS)?.get(number)?;
    let issuer_chain = chain.map(|chain| chain.value().to_owned()).unwrap_or_default();
    Ok(Some(Document { body: pem(der.value()), issuer_chain }))
}

/// Stores a platform. A missing PPID or manifest does not replace the stored one.
pub(super) fn put_platform(
    write: &WriteTransaction,
    key: &PlatformKey,
    platform: &StoredPlatform,
    issuer_chain: &str,
) -> Result<(), Error> {
    let number = issuer_chain_number(write, issuer_chain)?;
    let mut table = write.open_table(PLATFORMS)?;
    let mut platform = platform.clone();
    if let Some(before) = table.get(&key.to_bytes())? {
        let before = StoredPlatform::read(before.value());
        if platform.encrypted_ppid.is_empty() {
            platform.encrypted_ppid = before.encrypted_ppid;
        }
        if platform.manifest.is_empty() {
            platform.manifest = before.manifest;
        }
    }
    table.insert(&key.to_bytes(), platform.row(number))?;
    Ok(())
}

/// Stores certificates of a platform.
pub(super) fn put_certificates(
    write: &WriteTransaction,
    key: &PlatformKey,
    certificates: &PckCertificates,
    change: Change,
) -> Result<(), Error> {
    let mut table = write.open_table(CERTIFICATES)?;
    for (tcb, der) in &certificates.certificates {
        let key = with_tcb(key, tcb);
        if change == Change::Replace || table.get(&key)?.is_none() {
            table.insert(&key, &der[..])?;
        }
    }
    Ok(())
}

/// Removes the certificates of a platform.
pub(super) fn clear_certificates(write: &WriteTransaction, key: &PlatformKey) -> Result<(), Error> {
    let [first, last] = first_and_last(key);
    write.open_table(CERTIFICATES)?.retain_in::<&[u8; 36], _>(&first..=&last, |_, _| false)?;
    Ok(())
}

/// Stores the choice of a certificate for each of these TCBs that has one.
pub(super) fn put_chosen(
    write: &WriteTransaction,
    key: &PlatformKey,
    tcbs: &[PckTcb],
    choose: impl Fn(&PckTcb) -> Option<PckTcb>,
    change: Change,
) -> Result<(), Error> {
    let mut table = write.open_table(CHOSEN)?;
    for tcb in tcbs {
        let (key, chosen) = (with_tcb(key, tcb), choose(tcb));
        let chosen =
            chosen.filter(|_| change == Change::Replace || matches!(table.get(&key), Ok(None)));
        if let Some(chosen) = chosen {
            table.insert(&key, &chosen.to_bytes())?;
        }
    }
    Ok(())
}

/// Tells if the platform's certificates have this issuer chain.
pub(super) fn has_issuer_chain(
    write: &WriteTransaction,
    key: &PlatformKey,
    issuer_chain: &str,
) -> Result<bool, Error> {
    let Some(number) =
        write.open_table(PLATFORMS)?.get(&key.to_bytes())?.map(|platform| platform.value().2)
    else {
        return Ok(false);
    };
    let chain = write.open_table(ISSUER_CHAINS)?;
    let chain = chain.get(number)?;
    Ok(chain.is_some_and(|chain| chain.value() == issuer_chain))
}

/// Removes the choices for all TCBs of the platform, and returns the TCBs.
pub(super) fn take_chosen(
    write: &WriteTransaction,
    key: &PlatformKey,
) -> Result<Vec<PckTcb>, Error> {
    let [first, last] = first_and_last(key);
    let mut table = write.open_table(CHOSEN)?;
    let known: Result<Vec<_>, Error> = table
        .range::<&[u8; 36]>(&first..=&last)?
        .map(|entry| Ok(tcb_of(entry?.0.value())))
        .collect();
    table.retain_in::<&[u8; 36], _>(&first..=&last, |_, _| false)?;
    known
}

/// The number of this chain, stored if it is new.
fn issuer_chain_number(write: &WriteTransaction, issuer_chain: &str) -> Result<u32, Error> {
    let mut table = write.open_table(ISSUER_CHAINS)?;
    let mut next = 0_u32;
    for entry in table.iter()? {
        let (number, chain) = entry?;
        if chain.value() == issuer_chain {
            return Ok(number.value());
        }
        next = number.value().saturating_add(1);
    }
    table.insert(next, issuer_chain)?;
    Ok(next)
}
