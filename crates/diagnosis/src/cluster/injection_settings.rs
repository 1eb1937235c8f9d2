//! The settings of injection, as an installation has them.

use std::ops::RangeInclusive;

use kubernetes::device_plugin::EpcAccounting;
use kubernetes::injection::Settings;

use super::facts::Facts;

/// The uid that the kernel reserves for "no user".
pub(crate) const NOBODY: RangeInclusive<u32> = u32::MAX..=u32::MAX;

/// The settings of injection in this cluster.
pub(crate) fn settings(facts: &Facts) -> Settings {
    Settings {
        epc_accounting: facts.epc_accounting(),
        has_quote_service: facts.lacks_add_on() || facts.quote_service != Ok(None),
        ..in_order(facts.add_on_uids().unwrap_or(NOBODY))
    }
}

/// The settings of injection in a cluster that lacks nothing.
pub(crate) fn in_order(add_on_uids: RangeInclusive<u32>) -> Settings {
    Settings {
        aesm_dir: "/var/run/aesmd".into(),
        socket_by_device_plugin: true,
        epc_accounting: EpcAccounting::Devices,
        has_quote_service: true,
        add_on_uids,
    }
}
