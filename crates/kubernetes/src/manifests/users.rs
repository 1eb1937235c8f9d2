//! The users that the add-on's pods run as.
//!
//! Each has a number of its own, which nobody else is to have: whoever runs on a node as the same user is, to the
//! kernel, the same user, in another container too. From 60578 to 61183 nothing is assigned by systemd, by
//! distributions, in common images, or to pods with a user namespace, which begin at 65536.

use std::ops::RangeInclusive;

use super::AddOn;

/// The first of the numbers, if none is chosen.
pub const DEFAULT_FIRST_UID: u32 = 61_100;
/// How many there are.
const COUNT: u32 = 3;

/// The numbers of all users that the add-on's pods run as, but for root, if this is the first one.
#[must_use]
pub fn uids(first: u32) -> RangeInclusive<u32> {
    first..=first.saturating_add(COUNT.saturating_sub(1))
}

impl AddOn {
    /// The quote service's user and group.
    pub(super) fn quote_service_uid(&self) -> i64 {
        self.first_uid.into()
    }

    /// The PCCS's user and group.
    pub(super) fn pccs_uid(&self) -> i64 {
        self.first_uid.saturating_add(1).into()
    }

    /// The webhook's user and group.
    pub(super) fn webhook_uid(&self) -> i64 {
        self.first_uid.saturating_add(2).into()
    }
}
