//! The contents of issued collateral.

use std::fmt;

use serde::{Serialize, Serializer};
use sgx::CpuSvn;
use time::{Duration, OffsetDateTime};

use super::PkiError;

/// Life of issued collateral, as Intel's.
pub(crate) const COLLATERAL_LIFE: Duration = Duration::days(30);

/// The contents of collateral. A TCB recovery is an issue with a level above the platform's.
#[derive(Debug, Clone)]
pub struct CollateralIssue {
    /// Time of issue; the collateral is valid for 30 days from then on.
    pub now: OffsetDateTime,
    /// The kind of platform that the TCB info is for.
    pub fmspc: [u8; 6],
    /// PCE id, little-endian.
    pub pce_id: [u8; 2],
    /// Number of the TCB evaluation: raised with each TCB recovery.
    pub tcb_evaluation_data_number: u32,
    /// TCB levels, the highest first.
    pub tcb_levels: Vec<TcbLevel>,
    /// Serial numbers of the PCK certificates that are revoked.
    pub revoked_pck_serials: Vec<[u8; 20]>,
}

/// The status of platforms at this TCB or above, and below the next higher level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbLevel {
    /// The least SVN of each TCB component.
    pub cpu_svn: CpuSvn,
    /// The least ISVSVN of the PCE.
    pub pce_svn: u16,
    /// Since when the level exists.
    pub date: OffsetDateTime,
    /// The verdict.
    pub status: TcbStatus,
    /// Security advisories that apply to such a platform, "INTEL-SA-…" for Intel's.
    pub advisory_ids: Vec<String>,
}

/// The verdict on a TCB level, by the names of TCB info.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcbStatus {
    /// Nothing to do.
    UpToDate,
    /// Up to date, but the enclave must defend itself against known weaknesses.
    SwHardeningNeeded,
    /// Up to date, but the platform must be configured otherwise.
    ConfigurationNeeded,
    /// Both of these.
    ConfigurationAndSwHardeningNeeded,
    /// Updates are missing.
    OutOfDate,
    /// Updates are missing, and the platform must be configured otherwise.
    OutOfDateConfigurationNeeded,
    /// Not to be trusted.
    Revoked,
}

impl fmt::Display for TcbStatus {
    /// Writes the official name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::Revoked => "Revoked",
        })
    }
}

impl Serialize for TcbStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From when to when the issued collateral is valid; whole seconds, UTC.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) issued: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}

impl CollateralIssue {
    pub(crate) fn validity(&self) -> Result<Validity, PkiError> {
        let issued = whole_seconds_utc(self.now).ok_or(PkiError::Issued(self.now))?;
        let next_update = issued.checked_add(COLLATERAL_LIFE).ok_or(PkiError::Issued(self.now))?;
        Ok(Validity { issued, next_update })
    }

    /// Until when the collateral is valid.
    ///
    /// # Errors
    /// [`PkiError::Issued`] when the time of issue is before 1970 or at the end of the year 9999.
    pub fn next_update(&self) -> Result<OffsetDateTime, PkiError> {
        Ok(self.validity()?.next_update)
    }
}

impl Validity {
    /// Seconds from 1970 to the issue: a number that grows with each, for CRLs.
    pub(crate) fn number(&self) -> u64 {
        self.issued.unix_timestamp().unsigned_abs()
    }
}

/// The time as certificates and collateral write it; `None` before 1970.
pub(crate) fn whole_seconds_utc(time: OffsetDateTime) -> Option<OffsetDateTime> {
    let seconds = time.unix_timestamp();
    (seconds >= 0).then(|| OffsetDateTime::from_unix_timestamp(seconds).ok())?
}
