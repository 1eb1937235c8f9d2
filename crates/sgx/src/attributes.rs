//! ATTRIBUTES of an enclave.

use std::fmt;

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// ATTRIBUTES, 16 bytes: flags and XFRM, 8 bytes each (SDM 3D, 38.7.1).
#[derive(
    Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Attributes {
    /// INIT, DEBUG and so on.
    pub flags: U64,
    /// The processor state that the enclave may use, as in XCR0.
    pub xfrm: U64,
}

impl Attributes {
    /// The enclave was initialized by EINIT.
    pub const INIT: u64 = 1 << 0;
    /// A debugger can read and write the enclave's memory: it keeps no secrets.
    pub const DEBUG: u64 = 1 << 1;
    /// The enclave runs in 64-bit mode.
    pub const MODE64BIT: u64 = 1 << 2;
    /// The enclave may get the provisioning key.
    pub const PROVISION_KEY: u64 = 1 << 4;
    /// The enclave may get the EINIT token key.
    pub const EINITTOKEN_KEY: u64 = 1 << 5;
    /// The enclave uses key separation and sharing (KSS).
    pub const KSS: u64 = 1 << 7;

    const NAMES: [(u64, &str); 6] = [
        (Self::INIT, "INIT"),
        (Self::DEBUG, "DEBUG"),
        (Self::MODE64BIT, "MODE64BIT"),
        (Self::PROVISION_KEY, "PROVISION_KEY"),
        (Self::EINITTOKEN_KEY, "EINITTOKEN_KEY"),
        (Self::KSS, "KSS"),
    ];

    /// Attributes with these flags and this XFRM.
    #[must_use]
    pub const fn new(flags: u64, xfrm: u64) -> Self {
        Self { flags: U64::new(flags), xfrm: U64::new(xfrm) }
    }

    /// True if the enclave uses key separation and sharing (KSS).
    #[must_use]
    pub fn has_kss(&self) -> bool {
        self.flags.get() & Self::KSS != 0
    }

    /// True if the enclave can be debugged, and so keeps no secrets.
    #[must_use]
    pub fn is_debug(&self) -> bool {
        self.flags.get() & Self::DEBUG != 0
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flags ")?;
        write_flags(f, self.flags.get(), &Self::NAMES)?;
        write!(f, ", xfrm {:#x}", self.xfrm)
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({self})")
    }
}

/// The flags in hexadecimal, and the names of those that are set.
pub(crate) fn write_flags(
    f: &mut fmt::Formatter<'_>,
    flags: u64,
    names: &[(u64, &str)],
) -> fmt::Result {
    write!(f, "{flags:#x}")?;
    let set = names.iter().filter(|(bit, _)| flags & bit != 0);
    let set: Vec<&str> = set.map(|(_, name)| *name).collect();
    if set.is_empty() { Ok(()) } else { write!(f, " ({})", set.join(" ")) }
}
