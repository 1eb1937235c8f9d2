//! Quotes.

use zerocopy::IntoBytes;
use zerocopy::little_endian::U32;

use crate::describe::display_description;
use crate::quote_reader::Reader;
use crate::quote_signature::with_length;
use crate::{
    CertificationData, Describe, Description, QuoteBody, QuoteHeader, QuoteParseError,
    QuoteSignature, ReportBody,
};

/// A quote of version 3 (SGX), 4 or 5 (SGX and TDX), ECDSA with P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// Version, key type, TEE type and security versions.
    pub header: QuoteHeader,
    /// Body of the application enclave's REPORT, or the TD's report.
    pub body: QuoteBody,
    /// The signature, and the certification of its key.
    pub signature: QuoteSignature,
}

impl Quote {
    /// The size of the signed part of a version 3 quote, header and report body, in bytes.
    pub const SIGNED_SIZE: usize = size_of::<QuoteHeader>() + size_of::<ReportBody>();

    /// The size of the smallest quote, version 3 without authentication and certification data: the
    /// signed part, and 588 bytes of lengths, signatures, keys and the QE's REPORT.
    pub const MIN_SIZE: usize = Self::SIGNED_SIZE + 588;

    /// Reads exactly one quote.
    ///
    /// # Errors
    /// [`QuoteParseError`] when the bytes are truncated, exceed the quote, or are of another
    /// version, kind or key type. Allocates at most the size of `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, QuoteParseError> {
        match Self::parse_prefix(bytes)? {
            (quote, []) => Ok(quote),
            (_, rest) => Err(QuoteParseError::Oversized(rest.len(), "quote")),
        }
    }

    /// Reads one quote from a buffer padded with zeros, as in AESM replies.
    ///
    /// # Errors
    /// As [`Quote::parse`]; padding must be zeros.
    pub fn parse_padded(bytes: &[u8]) -> Result<Self, QuoteParseError> {
        match Self::parse_prefix(bytes)? {
            (quote, rest) if rest.iter().all(|byte| *byte == 0) => Ok(quote),
            (_, rest) => Err(QuoteParseError::Oversized(rest.len(), "quote")),
        }
    }

    /// Reads one quote from the beginning of a buffer, and returns the rest of it.
    ///
    /// # Errors
    /// As [`Quote::parse`].
    pub fn parse_prefix(bytes: &[u8]) -> Result<(Self, &[u8]), QuoteParseError> {
        let mut reader = Reader::new(bytes, "quote");
        let header: QuoteHeader = reader.structure("header")?;
        let version = match header.version.get() {
            version @ 3..=5 => version,
            version @ 1..=2 => return Err(QuoteParseError::Epid(version)),
            version => return Err(QuoteParseError::Version(version)),
        };
        if header.attestation_key_type != QuoteHeader::ECDSA_P256 {
            let key_type = header.attestation_key_type.get();
            return Err(QuoteParseError::AttestationKeyType(key_type));
        }
        let body = QuoteBody::read(&header, &mut reader)?;
        let size: U32 = reader.structure("signature data length")?;
        let signature = reader.part("signature data", size.get() as usize)?;
        let signature = QuoteSignature::read(version, signature)?;
        Ok((Self { header, body, signature }, reader.rest()))
    }

    /// The quote's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = self.signature.to_bytes(self.header.version.get());
        [self.signed_bytes(), with_length(&signature)].concat()
    }

    /// The bytes that the attestation key signs: header and body, with its descriptor in version 5.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        [self.header.as_bytes(), &self.body.to_bytes(self.header.version.get())].concat()
    }

    /// The fields of the quote, with this description of its certification data.
    #[must_use]
    pub fn describe_with(
        &self,
        certification: impl FnOnce(&CertificationData) -> Description,
    ) -> Description {
        let certification = certification(&self.signature.certification_data);
        let signature = self.signature.describe(self.header.version.get(), certification);
        let header = Description::default().fields("header", &self.header);
        self.body.describe_into(header).nested("signature data", signature)
    }
}

impl Describe for Quote {
    fn describe(&self) -> Description {
        self.describe_with(CertificationData::describe)
    }
}

display_description!(Quote);
