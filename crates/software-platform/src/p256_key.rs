//! P-256 keys of the enclaves, derived from secrets.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{FieldBytes, NonZeroScalar, SecretKey};
use zeroize::Zeroizing;

/// A P-256 private key whose signatures are deterministic (RFC 6979).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct P256Key(SecretKey);

impl P256Key {
    /// The key for these 32 secret bytes, taken as a big-endian number modulo n - 1, plus 1.
    pub(crate) fn from_secret(secret: &[u8; 32]) -> Self {
        let number = Zeroizing::new(FieldBytes::from(*secret));
        Self(NonZeroScalar::reduce(&*number).into())
    }

    /// The key with this private scalar, 32 bytes big-endian; `None` when it is 0 or not below n.
    pub(crate) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(scalar).ok().map(Self)
    }

    /// The private scalar, 32 bytes big-endian.
    pub(crate) fn scalar(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key: x ‖ y, 32 bytes each, big-endian.
    pub(crate) fn public_key(&self) -> [u8; 64] {
        let point = self.0.public_key().to_sec1_point(false);
        let mut coordinates = [0; 64];
        for (place, byte) in coordinates.iter_mut().zip(point.as_bytes().iter().skip(1)) {
            *place = *byte;
        }
        coordinates
    }

    /// ECDSA with SHA-256 over the message: r ‖ s, 32 bytes each, big-endian.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = SigningKey::from(&self.0).sign(message);
        signature.to_bytes().into()
    }
}
