//! The published TCB levels of software platforms.

mod file;

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use crate::identities::{FMSPC, PCE_ID, PCE_SVN};
use crate::pki::{COLLATERAL_LIFE, CollateralIssue, TcbLevel, TcbStatus, whole_seconds_utc};
use crate::{Microcode, MicrocodeError};

/// Age of the issue date of expired collateral, which expired a day ago.
const EXPIRED_AGE: Duration = COLLATERAL_LIFE.saturating_add(Duration::DAY);

/// The TCB levels and revocations that a deployment has published. By default, the microcode with
/// which machines are built is up to date.
///
/// There is a TCB level for each microcode, including the first. The serialized form is versioned,
/// and rejected if it is inconsistent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedTcb {
    /// Publication time of each TCB recovery, oldest first; whole seconds.
    recoveries: Vec<OffsetDateTime>,
    /// The microcode of the TCB levels that are revoked.
    revoked_levels: BTreeSet<Microcode>,
    /// Serial numbers of the PCK certificates that are revoked.
    revoked_pck_serials: BTreeSet<[u8; 20]>,
    /// Collateral is backdated, so that it is expired at its issue.
    expired: bool,
}

impl PublishedTcb {
    /// Publishes a TCB recovery: machines without one more microcode update are out of date, by one
    /// more advisory than before.
    ///
    /// # Errors
    /// [`MicrocodeError`] when there are no further updates; nothing is changed then.
    pub fn raise(&mut self, now: OffsetDateTime) -> Result<(), MicrocodeError> {
        Microcode::after(self.recoveries.len().saturating_add(1))?;
        self.recoveries.push(whole_seconds_utc(now).unwrap_or(OffsetDateTime::UNIX_EPOCH));
        Ok(())
    }

    /// Revokes the TCB level that machines with this microcode reach.
    pub fn revoke_level(&mut self, microcode: Microcode) {
        self.revoked_levels.insert(self.reached(microcode));
    }

    /// Revokes the PCK certificate with this serial number.
    pub fn revoke_certificate(&mut self, serial: [u8; 20]) {
        self.revoked_pck_serials.insert(serial);
    }

    /// Backdates all collateral from now on, so that it is expired at its issue.
    pub fn expire(&mut self) {
        self.expired = true;
    }

    /// The newest published microcode.
    #[must_use]
    pub fn newest_microcode(&self) -> Microcode {
        Microcode::after(self.recoveries.len()).unwrap_or(Microcode::LAST)
    }

    /// The number of the TCB evaluation: 1, and one more for each recovery and each revoked level.
    #[must_use]
    pub fn evaluation_data_number(&self) -> u32 {
        let changes = self.recoveries.len().saturating_add(self.revoked_levels.len());
        u32::try_from(changes).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The TCB level of machines with this microcode. `created` is the creation time of the
    /// deployment.
    #[must_use]
    pub fn level(&self, microcode: Microcode, created: OffsetDateTime) -> TcbLevel {
        let reached = self.reached(microcode);
        let recoveries = usize::from(reached.updates());
        let date = recoveries.checked_sub(1).and_then(|last| self.recoveries.get(last));
        TcbLevel {
            cpu_svn: reached.cpu_svn(),
            pce_svn: PCE_SVN,
            date: date.copied().unwrap_or(created),
            status: self.status(reached),
            advisory_ids: self.advisory_ids(reached),
        }
    }

    /// Tells if the PCK certificate with this serial number is revoked.
    #[must_use]
    pub fn is_revoked(&self, serial: &[u8; 20]) -> bool {
        self.revoked_pck_serials.contains(serial)
    }

    /// Tells if collateral is expired at its issue.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.expired
    }

    /// The contents of collateral issued now.
    pub(crate) fn issue(&self, created: OffsetDateTime, now: OffsetDateTime) -> CollateralIssue {
        let newest = self.newest_microcode().updates();
        let levels = (0..=newest).rev().filter_map(|updates| Microcode::try_from(updates).ok());
        let age = if self.expired { EXPIRED_AGE } else { Duration::ZERO };
        CollateralIssue {
            now: now.saturating_sub(age),
            fmspc: FMSPC,
            pce_id: PCE_ID,
            tcb_evaluation_data_number: self.evaluation_data_number(),
            tcb_levels: levels.map(|microcode| self.level(microcode, created)).collect(),
            revoked_pck_serials: self.revoked_pck_serials.iter().copied().collect(),
        }
    }

    /// The microcode of the highest level that machines with this microcode reach.
    fn reached(&self, microcode: Microcode) -> Microcode {
        microcode.min(self.newest_microcode())
    }

    fn status(&self, level: Microcode) -> TcbStatus {
        if self.revoked_levels.contains(&level) {
            TcbStatus::Revoked
        } else if level < self.newest_microcode() {
            TcbStatus::OutOfDate
        } else {
            TcbStatus::UpToDate
        }
    }

    /// One advisory for each recovery above the level, with an id that is not one of Intel's.
    fn advisory_ids(&self, level: Microcode) -> Vec<String> {
        let (fixed, known) = (level.updates(), self.newest_microcode().updates());
        (fixed..known)
            .map(|before| format!("SOFTWARE-SA-{:05}", before.saturating_add(1)))
            .collect()
    }
}
