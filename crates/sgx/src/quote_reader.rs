//! A reader of the parts of a quote, and its errors.

use zerocopy::FromBytes;

/// Bytes that are not a supported quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteParseError {
    /// The quote ends before this part of it.
    #[error("the quote ends within its {part}: {needed} bytes needed, {left} left")]
    Truncated {
        /// The truncated part.
        part: &'static str,
        /// The size of that part in bytes.
        needed: usize,
        /// The number of bytes left for it.
        left: usize,
    },
    /// Bytes after the end that the quote states.
    #[error("{0} bytes follow after the end of the {1}")]
    Oversized(usize, &'static str),
    /// An EPID quote, version 1 or 2.
    #[error(
        "quote version {0} is EPID, which Intel has ended; have the application ask for an ECDSA \
         quote"
    )]
    Epid(u16),
    /// An unknown version.
    #[error("unknown version {0:#06x}; supported are 3 (SGX), 4 and 5 (SGX and TDX)")]
    Version(u16),
    /// Not signed with ECDSA P-256.
    #[error("attestation key type {0} is not supported; only 2 (ECDSA P-256) is")]
    AttestationKeyType(u16),
    /// A version 4 quote of neither SGX nor TDX.
    #[error("TEE type {0:#x} is not supported; only 0 (SGX) and 0x81 (TDX) are")]
    TeeType(u32),
    /// A version 5 quote with an unexpected type or size of its body.
    #[error(
        "a body of type {body_type} and {size} bytes in a quote of TEE type {tee_type:#x} is not \
         supported; SGX has type 1 (384 bytes), TDX has 2 (584), 3 (648) and 4 (885)"
    )]
    Body {
        /// Type of the body.
        body_type: u16,
        /// Size of the body in bytes, as the quote states it.
        size: u32,
        /// TEE type of the header.
        tee_type: u32,
    },
    /// The signature of a version 4 or 5 quote is certified by something else than a QE report.
    #[error(
        "the signature's certification data is of type {0}; in quotes of version 4 and 5 it is 6 \
         (QE report certification data)"
    )]
    Certification(u16),
}

/// Takes one part after the other off the front of the bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    whole: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], whole: &'static str) -> Self {
        Self { rest: bytes, whole }
    }

    /// The part of a fixed size that is next.
    pub(crate) fn structure<T: FromBytes>(
        &mut self,
        part: &'static str,
    ) -> Result<T, QuoteParseError> {
        let (value, rest) =
            T::read_from_prefix(self.rest).map_err(|_| self.truncated(part, size_of::<T>()))?;
        self.rest = rest;
        Ok(value)
    }

    /// The next `size` bytes.
    pub(crate) fn bytes(
        &mut self,
        part: &'static str,
        size: usize,
    ) -> Result<&'a [u8], QuoteParseError> {
        let (bytes, rest) =
            self.rest.split_at_checked(size).ok_or_else(|| self.truncated(part, size))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The next `size` bytes, which have parts of their own.
    pub(crate) fn part(
        &mut self,
        whole: &'static str,
        size: usize,
    ) -> Result<Self, QuoteParseError> {
        Ok(Self { rest: self.bytes(whole, size)?, whole })
    }

    /// The bytes that are left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Fails unless everything has been read.
    pub(crate) fn end(&self) -> Result<(), QuoteParseError> {
        match self.rest.len() {
            0 => Ok(()),
            excess => Err(QuoteParseError::Oversized(excess, self.whole)),
        }
    }

    fn truncated(&self, part: &'static str, needed: usize) -> QuoteParseError {
        QuoteParseError::Truncated { part, needed, left: self.rest.len() }
    }
}
