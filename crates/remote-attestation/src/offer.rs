//! The message with an enclave's public key and quote.

use aws_lc_rs::digest::{SHA256, digest};
use sgx::ReportData;

/// A public key of X25519, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// An enclave's public key, and the quote that binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The key.
    pub public_key: PublicKey,
    /// The quote, whose REPORTDATA is the key's [`binding`](PublicKey::binding).
    pub quote: Vec<u8>,
}

impl PublicKey {
    /// The REPORTDATA that binds this key, 64 bytes: its SHA-256, then zeros.
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
    /// The wire format: the key, then the quote.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.public_key.0[..], &self.quote].concat()
    }

    /// Reads the output of [`to_bytes`](Self::to_bytes); `None` if it is shorter than a key. The
    /// quote is not checked: see [`Verifier`](crate::Verifier).
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (public_key, quote) = bytes.split_first_chunk()?;
        Some(Self { public_key: PublicKey(*public_key), quote: quote.to_vec() })
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_round_trips() {
        let offer = Offer { public_key: PublicKey([7; 32]), quote: vec![1, 2, 3] };
        assert_eq!(Offer::parse(&offer.to_bytes()), Some(offer));
    }

    #[test]
    fn bytes_shorter_than_a_key_are_refused() {
        assert_eq!(Offer::parse(&[7; 31]), None);
        assert_eq!(Offer::parse(&[]), None);
    }
}
