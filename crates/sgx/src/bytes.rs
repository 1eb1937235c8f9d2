//! Named byte strings of a fixed size, and the parser of structures of a fixed size.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of the wrong size for a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {expected} bytes, not {actual}")]
pub struct SizeError {
    /// The expected structure.
    pub what: &'static str,
    /// Its size in bytes.
    pub expected: usize,
    /// The actual size in bytes.
    pub actual: usize,
}

/// Text that is not hexadecimal of this size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {size} bytes in hexadecimal, {} digits", .size.saturating_mul(2))]
pub struct WrongHexadecimal {
    /// The expected number of bytes.
    pub size: usize,
}

/// Reads the structure `T`, called `what` in the error.
///
/// # Errors
/// [`SizeError`] unless `bytes` have exactly its size.
pub fn parse<T: FromBytes>(what: &'static str, bytes: &[u8]) -> Result<T, SizeError> {
    T::read_from_bytes(bytes).map_err(|_| SizeError {
        what,
        expected: size_of::<T>(),
        actual: bytes.len(),
    })
}

macro_rules! byte_string {
    ($(#[$docs:meta])* $name:ident, $size:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(transparent)]
        pub struct $name(pub [u8; $size]);

        impl Default for $name {
            fn default() -> Self {
                Self([0; $size])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = WrongHexadecimal;

            /// Reads the hexadecimal digits, two for each byte.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; $size];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| WrongHexadecimal { size: $size })?;
                Ok(Self(bytes))
            }
        }
    };
}

byte_string! {
    /// CPUSVN, 16 bytes: the security version of the processor's microcode and firmware (SDM 3D,
    /// 38.4).
    CpuSvn, 16
}
byte_string! {
    /// MRENCLAVE, 32 bytes: SHA-256 of the enclave's initial contents (SDM 3D, 38.4).
    MrEnclave, 32
}
byte_string! {
    /// MRSIGNER, 32 bytes: SHA-256 of the public key that signed the enclave (SDM 3D, 38.4).
    MrSigner, 32
}
byte_string! {
    /// ISVEXTPRODID, 16 bytes: the extended product id of an enclave with KSS (SDM 3D, 38.15).
    IsvExtProdId, 16
}
byte_string! {
    /// ISVFAMILYID, 16 bytes: the product family of an enclave with KSS (SDM 3D, 38.15).
    IsvFamilyId, 16
}
byte_string! {
    /// CONFIGID, 64 bytes: the configuration that an enclave with KSS was launched with (SDM 3D,
    /// 38.15).
    ConfigId, 64
}
byte_string! {
    /// REPORTDATA, 64 bytes: the data that the enclave binds to its REPORT.
    ReportData, 64
}
byte_string! {
    /// A measurement of TDX, 48 bytes: SHA-384, such as MRTD and RTMR0 to RTMR3.
    Measurement, 48
}
byte_string! {
    /// TEE_TCB_SVN, 16 bytes: the security versions of the TDX module and what it rests on.
    TeeTcbSvn, 16
}
byte_string! {
    /// FMSPC, 6 bytes: the kind of platform (family, model, stepping, platform type, custom SKU).
    Fmspc, 6
}
byte_string! {
    /// PPID, 16 bytes: identifies a processor package.
    Ppid, 16
}
byte_string! {
    /// Platform instance id, 16 bytes: identifies a platform of several packages and its keys.
    PlatformInstanceId, 16
}
byte_string! {
    /// KEYID, 32 bytes: the wear-out protection of a derived key.
    KeyId, 32
}

impl MrSigner {
    /// The signer of Intel's QE and PCE. Clients expect it, so the software platform's enclaves
    /// have it, too; only the root distinguishes the two.
    pub const INTEL_QE: Self = Self([
        0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82,
        0x9a, 0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5,
        0x7b, 0xff,
    ]);

    /// The signer of Intel's TD Quoting Enclave, from the identity that Intel's PCS publishes.
    pub const INTEL_TD_QE: Self = Self([
        0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed,
        0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54,
        0xa8, 0xc5,
    ]);
}
