//! ECDSA P-256 with SHA-256, the only signature algorithm of quotes and collateral.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};

/// A public key on P-256: the uncompressed point of SEC 1, 4 ‖ x ‖ y, big-endian, 65 bytes. The
/// point is checked with each signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; 65]);

impl PublicKey {
    /// Reads the form of a certificate; `None` for another curve or a compressed point.
    pub(crate) fn from_point(point: &[u8]) -> Option<Self> {
        let point: &[u8; 65] = point.try_into().ok()?;
        point.starts_with(&[4]).then_some(Self(*point))
    }

    /// The key with these coordinates, x ‖ y.
    pub(crate) fn from_coordinates(coordinates: &[u8; 64]) -> Self {
        let mut point = [4; 65];
        for (byte, coordinate) in point.iter_mut().skip(1).zip(coordinates) {
            *byte = *coordinate;
        }
        Self(point)
    }

    /// Checks a raw signature (r ‖ s, 64 bytes, big-endian).
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check(&ECDSA_P256_SHA256_FIXED, message, signature)
    }

    /// Checks a signature in DER, as in certificates.
    pub(crate) fn signed_der(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check(&ECDSA_P256_SHA256_ASN1, message, signature)
    }

    fn check(
        &self,
        algorithm: &'static EcdsaVerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(algorithm, &self.0).verify(message, signature).is_ok()
    }

    /// The point, 65 bytes.
    pub(crate) fn point(&self) -> &[u8; 65] {
        &self.0
    }
}

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    for (byte, value) in hash.iter_mut().zip(context.finish().as_ref()) {
        *byte = *value;
    }
    hash
}
