//! The users of the add-on's pods.
//!
//! Each component has a user that nothing else may have: the kernel does not tell containers of the
//! same user apart. Systemd, distributions, common images and user namespaces of pods (from 65536
//! on) do not assign the numbers from 60578 to 61183.

use std::ops::RangeInclusive;

use super::AddOn;

/// The number of users.
const COUNT: u32 = 3;

/// The users of the add-on's pods other than root, given the first one.
#[must_use]
pub fn uids(first: u32) -> RangeInclusive<u32> {
    first..=first.saturating_add(COUNT.saturating_sub(1))
}

impl AddOn {
    /// The user and group of the quote service.
    pub(super) fn quote_service_uid(&self) -> i64 {
        self.first_uid.into()
    }

    /// The user and group of the PCCS.
    pub(super) fn pccs_uid(&self) -> i64 {
        self.first_uid.saturating_add(1).into()
    }

    /// The user and group of the webhook.
    pub(super) fn webhook_uid(&self) -> i64 {
        self.first_uid.saturating_add(2).into()
    }
}
