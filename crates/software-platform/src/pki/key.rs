//! P-256 keys in the form that certificates take: those of the authorities, and those they certify.

use aws_lc_rs::hkdf;
use p256::PublicKey as CurvePoint;
use p256::ecdsa::Signature;
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use super::PkiError;
use crate::p256_key::P256Key;

/// Salt of the key derivation: the same seed, used elsewhere, gives other keys there.
const SALT: &[u8] = b"sgx-quote-helper software platform PKI";

/// The private key of an authority.
pub(crate) struct PrivateKey {
    key: P256Key,
    public: PublicKey,
}

impl PrivateKey {
    /// Derives the key called `label`: HKDF-SHA256 gives 32 bytes for label and attempt, from
    /// attempt 0 on, until they are a private key of P-256.
    pub(crate) fn derive(seed: &[u8; 32], label: &'static str) -> Result<Self, PkiError> {
        let seed = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(seed);
        (0..=u8::MAX)
            .find_map(|attempt| {
                let info = [label.as_bytes(), &[attempt]];
                let mut scalar = Zeroizing::new([0; 32]);
                seed.expand(&info, hkdf::HKDF_SHA256).ok()?.fill(scalar.as_mut()).ok()?;
                P256Key::from_scalar(&scalar)
            })
            .map(|key| Self { public: PublicKey::uncompressed(&key.public_key()), key })
            .ok_or(PkiError::KeyDerivation(label))
    }

    /// ECDSA with SHA-256 over the message: r ‖ s, 32 bytes each, big-endian.
    pub(crate) fn sign_fixed(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message)
    }
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.public.algorithm()
    }
}

impl SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = Signature::from_slice(&self.key.sign(message))
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

/// A public key, uncompressed: 04 ‖ x ‖ y.
pub(crate) struct PublicKey([u8; 65]);

impl PublicKey {
    /// Takes x ‖ y, big-endian, if it is a point on the curve.
    pub(crate) fn from_coordinates(coordinates: &[u8; 64]) -> Result<Self, PkiError> {
        let key = Self::uncompressed(coordinates);
        CurvePoint::from_sec1_bytes(&key.0).map_err(|_| PkiError::PublicKey)?;
        Ok(key)
    }

    fn uncompressed(coordinates: &[u8; 64]) -> Self {
        let mut bytes = [4; 65];
        let (_, xy) = bytes.split_at_mut(1);
        xy.copy_from_slice(coordinates);
        Self(bytes)
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
