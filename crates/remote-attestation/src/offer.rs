//! What one enclave sends to the other.

use sgx::ReportData;

use crate::application::sha256;

/// A public key of X25519, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// An enclave's key, and the quote that vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The key.
    pub public_key: PublicKey,
    /// The quote, whose REPORTDATA is the key's [`binding`](PublicKey::binding).
    pub quote: Vec<u8>,
}

impl PublicKey {
    /// The REPORTDATA that stands for this key, 64 bytes: its SHA-256, then zeros.
    #[must_use]
    pub fn binding(&self) -> ReportData {
        let mut report_data = ReportData::default();
        for (place, byte) in report_data.0.iter_mut().zip(sha256(&self.0)) {
            *place = byte;
        }
        report_data
    }
}

impl Offer {
    /// As it goes over the wire: the key, then the quote.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.public_key.0[..], &self.quote].concat()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) gave; `None` if it is too short for a key. Whether
    /// the rest is a quote is for the [`Verifier`](crate::Verifier) to say.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (public_key, quote) = bytes.split_first_chunk()?;
        Some(Self { public_key: PublicKey(*public_key), quote: quote.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_as_it_was_written() {
        let offer = Offer { public_key: PublicKey([7; 32]), quote: vec![1, 2, 3] };
        assert_eq!(Offer::parse(&offer.to_bytes()), Some(offer));
    }

    #[test]
    fn bytes_without_a_whole_key_are_no_offer() {
        assert_eq!(Offer::parse(&[7; 31]), None);
        assert_eq!(Offer::parse(&[]), None);
    }
}
