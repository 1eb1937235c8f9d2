//! The quote, version 3: what goes to the remote party.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{Describe, Description, QuoteSignature, ReportBody};

/// The bytes are no version 3 quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteParseError {
    /// The quote ends before this part of it.
    #[error("the quote ends within its {part}: {needed} bytes needed, {left} left")]
    Truncated {
        /// The part that is cut short.
        part: &'static str,
        /// The size of that part in bytes.
        needed: usize,
        /// How many bytes there are for it.
        left: usize,
    },
    /// Bytes follow after the end that the quote itself states.
    #[error("{0} bytes follow after the end of the {1}")]
    Oversized(usize, &'static str),
    /// Not a version 3 quote.
    #[error("quote version {0} is not supported; only version 3 (SGX, ECDSA) is")]
    Version(u16),
    /// Not signed with ECDSA P-256.
    #[error("attestation key type {0} is not supported; only 2 (ECDSA P-256) is")]
    AttestationKeyType(u16),
}

/// The first 48 bytes of a quote (`sgx_quote3_t` of the DCAP API).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct QuoteHeader {
    /// 3.
    pub version: U16,
    /// 2, ECDSA with P-256.
    pub attestation_key_type: U16,
    /// Zero in version 3; the kind of TEE in later ones.
    pub reserved: U32,
    /// ISVSVN of the QE.
    pub qe_svn: U16,
    /// ISVSVN of the PCE.
    pub pce_svn: U16,
    /// Who made the QE.
    pub qe_vendor_id: [u8; 16],
    /// Of the QE; the first 16 bytes are the QE_ID.
    pub user_data: [u8; 20],
}

impl QuoteHeader {
    /// The version of every quote here.
    pub const VERSION: u16 = 3;
    /// The attestation key type of every quote here: ECDSA with P-256.
    pub const ECDSA_P256: u16 = 2;
    /// The QE vendor id of Intel.
    pub const INTEL_QE_VENDOR_ID: [u8; 16] = [
        0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06,
        0x07,
    ];
}

impl Describe for QuoteHeader {
    fn describe(&self) -> Description {
        Description::default()
            .text("version", self.version)
            .text("attestation key type", self.attestation_key_type)
            .reserved("reserved 4", self.reserved.as_bytes())
            .text("QE SVN", self.qe_svn)
            .text("PCE SVN", self.pce_svn)
            .bytes("QE vendor id", &self.qe_vendor_id)
            .bytes("user data", &self.user_data)
    }
}

/// A version 3 quote, ECDSA with P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// Version, key type and security versions.
    pub header: QuoteHeader,
    /// Body of the application enclave's REPORT.
    pub report_body: ReportBody,
    /// Signature, and what it takes to trust the key that made it.
    pub signature: QuoteSignature,
}

impl Quote {
    /// How many bytes the signature covers: header and report body.
    pub const SIGNED_SIZE: usize = size_of::<QuoteHeader>() + size_of::<ReportBody>();

    /// The size of the smallest quote, one without authentication and certification data: what is
    /// signed, and 588 bytes of lengths, signatures, keys and the QE's REPORT.
    pub const MIN_SIZE: usize = Self::SIGNED_SIZE + 588;

    /// Reads exactly one quote.
    ///
    /// # Errors
    /// [`QuoteParseError`] when the bytes are cut short, go on after the quote, or are of another
    /// version or key type. Nothing is allocated beyond the size of `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, QuoteParseError> {
        let mut reader = Reader { rest: bytes, whole: "quote" };
        let header: QuoteHeader = reader.structure("header")?;
        if header.version != QuoteHeader::VERSION {
            return Err(QuoteParseError::Version(header.version.get()));
        }
        if header.attestation_key_type != QuoteHeader::ECDSA_P256 {
            let key_type = header.attestation_key_type.get();
            return Err(QuoteParseError::AttestationKeyType(key_type));
        }
        let report_body = reader.structure("report body")?;
        let size: U32 = reader.structure("signature data length")?;
        let mut signature = reader.part("signature data", size.get() as usize)?;
        reader.end()?;
        Ok(Self { header, report_body, signature: QuoteSignature::read(&mut signature)? })
    }

    /// Reads one quote from a buffer that is padded with zeros, as AESM replies are.
    ///
    /// # Errors
    /// As [`Quote::parse`]; bytes other than zero after the quote are no padding.
    pub fn parse_padded(bytes: &[u8]) -> Result<Self, QuoteParseError> {
        match Self::parse(bytes) {
            Err(QuoteParseError::Oversized(excess, "quote")) => {
                match bytes.split_at_checked(bytes.len().saturating_sub(excess)) {
                    Some((quote, padding)) if padding.iter().all(|byte| *byte == 0) => {
                        Self::parse(quote)
                    }
                    _ => Err(QuoteParseError::Oversized(excess, "quote")),
                }
            }
            result => result,
        }
    }

    /// The quote's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = self.signature.to_bytes();
        let mut bytes = Vec::with_capacity(Self::SIGNED_SIZE.saturating_add(signature.len()));
        bytes.extend(self.header.as_bytes());
        bytes.extend(self.report_body.as_bytes());
        bytes.extend(length(&signature).as_bytes());
        bytes.extend(signature);
        bytes
    }
}

impl Describe for Quote {
    fn describe(&self) -> Description {
        Description::default()
            .fields("header", &self.header)
            .fields("application enclave report", &self.report_body)
            .fields("signature data", &self.signature)
    }
}

display_description!(QuoteHeader, Quote);

/// The length of a part, as the quote states it before the part.
pub(crate) fn length(part: &[u8]) -> U32 {
    U32::new(u32::try_from(part.len()).unwrap_or(u32::MAX))
}

/// Takes one part after the other off the front of the bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    whole: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn structure<T: FromBytes>(
        &mut self,
        part: &'static str,
    ) -> Result<T, QuoteParseError> {
        let (value, rest) =
            T::read_from_prefix(self.rest).map_err(|_| self.truncated(part, size_of::<T>()))?;
        self.rest = rest;
        Ok(value)
    }

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

    fn part(&mut self, whole: &'static str, size: usize) -> Result<Self, QuoteParseError> {
        Ok(Self { rest: self.bytes(whole, size)?, whole })
    }

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
