//! The outcome of the comparison with TCB info.

use std::time::SystemTime;

use crate::{TcbLevel, TcbStatus};

/// The TCB level of a platform; for a TD, the level at its launch.
pub(crate) struct PlatformLevel {
    /// The status, including that of the TDX module.
    pub(crate) status: TcbStatus,
    /// The date of the platform's level.
    pub(crate) platform_date: SystemTime,
    /// The earlier of this date and that of the TDX module's level.
    pub(crate) date: SystemTime,
    /// The advisories of both.
    pub(crate) advisory_ids: Vec<String>,
    /// The level of a TD's platform now, if the quote states it.
    pub(crate) current: Option<Box<PlatformLevel>>,
}

impl From<&TcbLevel> for PlatformLevel {
    fn from(level: &TcbLevel) -> Self {
        Self {
            status: level.status,
            platform_date: level.date,
            date: level.date,
            advisory_ids: level.advisory_ids.clone(),
            current: None,
        }
    }
}
