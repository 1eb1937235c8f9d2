//! Tables, and what is done in one transaction.

use collateral::{Document, PckTcb};
use redb::{Database, Error, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::platform::{Platform, PlatformKey, PlatformRow};

pub(super) const PLATFORMS: TableDefinition<'_, &[u8; 18], PlatformRow<'_>> =
    TableDefinition::new("platforms");
pub(super) const CERTIFICATES: TableDefinition<'_, &[u8; 36], &[u8]> =
    TableDefinition::new("certificates");
pub(super) const CHOSEN: TableDefinition<'_, &[u8; 36], &[u8; 18]> = TableDefinition::new("chosen");
pub(super) const ISSUER_CHAINS: TableDefinition<'_, u32, &str> =
    TableDefinition::new("issuer_chains");
pub(super) const REGISTRATIONS: TableDefinition<'_, &[u8; 37], (&[u8], &[u8])> =
    TableDefinition::new("registrations");

/// Makes the tables that are not there yet.
pub(super) fn make(database: &Database) -> Result<(), Error> {
    let write = database.begin_write()?;
    write.open_table(PLATFORMS)?;
    write.open_table(CERTIFICATES)?;
    write.open_table(CHOSEN)?;
    write.open_table(ISSUER_CHAINS)?;
    write.open_table(REGISTRATIONS)?;
    Ok(write.commit()?)
}

/// The key of something of a platform at a TCB.
pub(super) fn with_tcb(key: &PlatformKey, tcb: &PckTcb) -> [u8; 36] {
    joined(key, &tcb.to_bytes())
}

/// The TCB in such a key.
pub(super) fn tcb_of(key: &[u8; 36]) -> PckTcb {
    let mut tcb = [0; 18];
    tcb.iter_mut().zip(&key[18..]).for_each(|(to, from)| *to = *from);
    PckTcb::from_bytes(&tcb)
}

/// The first and the last of the keys that a platform's TCBs can have.
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
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let body = pem::encode_config(&pem::Pem::new("CERTIFICATE", der.value()), config).into_bytes();
    Ok(Some(Document { body, issuer_chain }))
}

/// Keeps what is known of a platform. What is not known any more stays as it was.
pub(super) fn put_platform(
    write: &WriteTransaction,
    key: &PlatformKey,
    platform: &Platform,
    issuer_chain: &str,
) -> Result<(), Error> {
    let number = issuer_chain_number(write, issuer_chain)?;
    let mut table = write.open_table(PLATFORMS)?;
    let mut platform = platform.clone();
    if let Some(before) = table.get(&key.to_bytes())? {
        let before = Platform::read(before.value());
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

/// The number of this chain. There are few: one for each CA, until a CA changes.
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
