//! TDATTRIBUTES of a trust domain.

use std::fmt;

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::attributes::write_flags;

/// TDATTRIBUTES, 8 bytes (TDX Module ABI Specification 348551, table "ATTRIBUTES").
#[derive(
    Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct TdAttributes(pub U64);

impl TdAttributes {
    /// The host can read and write the TD's memory and state: it keeps no secrets.
    pub const DEBUG: u64 = 1 << 0;
    /// The host can profile the TD, which may reveal secrets: bits 4 to 6.
    pub const PROFILING: u64 = 0b111 << 4;
    /// A hash of the service TDs is part of the TD's report.
    pub const SERVTD_EXT: u64 = 1 << 17;
    /// The TD gets no #VE when the host removes a page.
    pub const SEPT_VE_DISABLE: u64 = 1 << 28;
    /// The TD can be migrated to another platform.
    pub const MIGRATABLE: u64 = 1 << 29;

    /// Bits that must be zero.
    pub const RESERVED: u64 = 0b111 << 1 | 0x1ff << 7 | 0xf << 23 | 0x3fff_ffff << 32;

    const NAMES: [(u64, &str); 13] = [
        (Self::DEBUG, "DEBUG"),
        (1 << 4, "HGS_PLUS_PROF"),
        (1 << 5, "PERF_PROF"),
        (1 << 6, "PMT_PROF"),
        (1 << 16, "ICSSD"),
        (Self::SERVTD_EXT, "SERVTD_EXT"),
        (1 << 27, "LASS"),
        (Self::SEPT_VE_DISABLE, "SEPT_VE_DISABLE"),
        (Self::MIGRATABLE, "MIGRATABLE"),
        (1 << 30, "PKS"),
        (1 << 31, "KL"),
        (1 << 62, "TPA"),
        (1 << 63, "PERFMON"),
    ];

    /// True if the TD can be debugged or profiled, and so keeps no secrets.
    #[must_use]
    pub fn is_debug(&self) -> bool {
        self.0.get() & (Self::DEBUG | Self::PROFILING) != 0
    }
}

impl fmt::Display for TdAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_flags(f, self.0.get(), &Self::NAMES)
    }
}

impl fmt::Debug for TdAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TdAttributes({self})")
    }
}
