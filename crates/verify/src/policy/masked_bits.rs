//! Expected values of bits.

use std::fmt;
use std::str::FromStr;

/// The value of some of 64 bits. In text `0x10000000`, or with a mask `0x10000000/0xf0000000`;
/// numbers are decimal without `0x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskedBits {
    /// The expected bits.
    pub value: u64,
    /// The bits that count; the others may have any value.
    pub mask: u64,
}

/// Text that is not [`MaskedBits`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongMaskedBits {
    /// It is not one number, nor two.
    #[error(
        "write a number such as 0x10000000, or the value and the mask of the bits that count, such \
         as 0x10000000/0xf0000000"
    )]
    Form,
    /// No field can have this value under this mask.
    #[error("the value has bits that the mask excludes")]
    BitsOutsideMask,
}

impl MaskedBits {
    /// Requires this value of all bits.
    #[must_use]
    pub fn exactly(value: u64) -> Self {
        Self { value, mask: u64::MAX }
    }

    /// True if `actual` has these bits.
    #[must_use]
    pub fn accepts(&self, actual: u64) -> bool {
        actual & self.mask == self.value
    }
}

impl FromStr for MaskedBits {
    type Err = WrongMaskedBits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (value, mask) = match text.split_once('/') {
            Some((value, mask)) => (number(value)?, number(mask)?),
            None => (number(text)?, u64::MAX),
        };
        if value & !mask != 0 {
            return Err(WrongMaskedBits::BitsOutsideMask);
        }
        Ok(Self { value, mask })
    }
}

fn number(text: &str) -> Result<u64, WrongMaskedBits> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` accepts a sign.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_number.then(|| u64::from_str_radix(digits, radix).ok()).flatten();
    number.ok_or(WrongMaskedBits::Form)
}

impl fmt::Display for MaskedBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u64::MAX => write!(f, "{:#x}", self.value),
            mask => write!(f, "{:#x}/{mask:#x}", self.value),
        }
    }
}
