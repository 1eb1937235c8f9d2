//! The software CPU: built-in keys and security versions.

use aws_lc_rs::cmac;
use sgx::{CpuSvn, KeyName};

/// The software CPU at one of its security versions, lowest first.
///
/// All values are those of the simulation mode of Intel's SDK, and public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cpu {
    /// Before the current microcode.
    Downgraded,
    /// The current microcode.
    #[default]
    Current,
    /// After a microcode update.
    Upgraded,
}

impl Cpu {
    /// The owner epoch, which enters all keys but those for provisioning.
    pub(crate) const OWNER_EPOCH: [u8; 16] = *b"THISISOWNEREPOCH";

    /// The CPUSVN that every REPORT made here carries.
    #[must_use]
    pub const fn cpu_svn(self) -> CpuSvn {
        CpuSvn(match self {
            Self::Downgraded => {
                *b"\x64\xea\x4f\x3f\xa0\x03\x0c\x36\x38\x3c\x32\x2d\x4f\x3a\x8d\x4f"
            }
            Self::Current => *b"\x48\x20\xf3\x37\x6a\xe6\xb2\xf2\x03\x4d\x3b\x7a\x4b\x48\xa7\x78",
            Self::Upgraded => *b"\x53\x39\xae\x8c\x93\xae\x8f\x3c\xe4\x32\xdb\x92\x4d\x0f\x07\x33",
        })
    }

    /// The CPU with this CPUSVN, if there is one.
    pub(crate) fn with_cpu_svn(cpu_svn: CpuSvn) -> Option<Self> {
        [Self::Downgraded, Self::Current, Self::Upgraded]
            .into_iter()
            .find(|cpu| cpu.cpu_svn() == cpu_svn)
    }
}

/// The key that the CPU is built with for keys of this name.
pub(crate) const fn built_in_key(name: KeyName) -> [u8; 16] {
    match name {
        KeyName::EinitToken => *b"\xaa\x55\xaa\x55\xaa\x55\xaa\x55\xaa\x55\xaa\x55\xaa\x55\xaa\x55",
        KeyName::Provision => *b"\xbb\xaa\xbb\xee\xff\x00\x00\xdd\xbb\xaa\xbb\xee\xff\x00\x00\xdd",
        KeyName::ProvisionSeal => *b"PROVISIONSEALKEY",
        KeyName::Report => *b"\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00",
        KeyName::Seal => *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
    }
}

/// AES-128-CMAC (NIST SP 800-38B), 16 bytes.
#[expect(clippy::expect_used, reason = "fails only when memory runs out, as any allocation may")]
pub(crate) fn aes_cmac(key: &[u8; 16], data: &[u8]) -> [u8; 16] {
    let mut mac = [0; 16];
    cmac::Key::new(cmac::AES_128, key)
        .and_then(|key| cmac::sign_to_buffer(&key, data, &mut mac).map(drop))
        .expect("AES-128-CMAC takes any key of 16 bytes and data of any size");
    mac
}
