//! The form in which it is kept what has been published.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::PublishedTcb;
use crate::{Microcode, MicrocodeError};

const VERSION: u32 = 1;

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcbFile {
    version: u32,
    recoveries: Vec<Recovery>,
    revoked_levels: BTreeSet<Microcode>,
    revoked_pck_serials: BTreeSet<Serial>,
    expired: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    #[serde(with = "rfc3339")]
    published: OffsetDateTime,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
struct Serial(#[serde(with = "hex")] [u8; 20]);

/// The stored form cannot be used.
#[derive(Debug, thiserror::Error)]
enum TcbFileError {
    #[error("it has format version {0}, this program knows only version {VERSION}")]
    Version(u32),
    #[error("it has too many TCB recoveries: {0}")]
    Recoveries(#[from] MicrocodeError),
    #[error("it revokes a TCB level that was never published, of {0} microcode updates")]
    RevokedLevel(u8),
}

impl From<&PublishedTcb> for TcbFile {
    fn from(tcb: &PublishedTcb) -> Self {
        let recovery = |published: &OffsetDateTime| Recovery { published: *published };
        Self {
            version: VERSION,
            recoveries: tcb.recoveries.iter().map(recovery).collect(),
            revoked_levels: tcb.revoked_levels.clone(),
            revoked_pck_serials: tcb.revoked_pck_serials.iter().copied().map(Serial).collect(),
            expired: tcb.expired,
        }
    }
}

impl TryFrom<TcbFile> for PublishedTcb {
    type Error = TcbFileError;

    fn try_from(file: TcbFile) -> Result<Self, TcbFileError> {
        if file.version != VERSION {
            return Err(TcbFileError::Version(file.version));
        }
        let newest = Microcode::after(file.recoveries.len())?;
        match file.revoked_levels.last() {
            Some(level) if *level > newest => Err(TcbFileError::RevokedLevel(level.updates())),
            _ => Ok(Self {
                recoveries: file.recoveries.iter().map(|recovery| recovery.published).collect(),
                revoked_levels: file.revoked_levels,
                revoked_pck_serials: file
                    .revoked_pck_serials
                    .iter()
                    .map(|serial| serial.0)
                    .collect(),
                expired: file.expired,
            }),
        }
    }
}

impl Serialize for PublishedTcb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TcbFile::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublishedTcb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TcbFile::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}
