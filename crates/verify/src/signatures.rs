//! ECDSA P-256 with SHA-256, the only signature algorithm of quotes and collateral.

use dcap_qvl::config::{Config, CryptoProvider, EcdsaSigEncoder};
use dcap_qvl::configs::DefaultConfig;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;

/// Checks a raw signature (r ‖ s, 64 bytes, big-endian) by the certificate's key.
pub(crate) fn signed_by(signer: &CertificateDer<'_>, message: &[u8], signature: &[u8]) -> bool {
    der_signature(signature).is_some_and(|signature| signed_by_der(signer, message, &signature))
}

/// Checks a signature in DER, as in certificates, by the certificate's key.
pub(crate) fn signed_by_der(signer: &CertificateDer<'_>, message: &[u8], signature: &[u8]) -> bool {
    EndEntityCert::try_from(signer).is_ok_and(|certificate| {
        certificate.verify_signature(ecdsa_p256(), message, signature).is_ok()
    })
}

/// Checks a raw signature by a raw public key (x ‖ y, 64 bytes, big-endian).
pub(crate) fn signed_by_key(key: &[u8; 64], message: &[u8], signature: &[u8; 64]) -> bool {
    const UNCOMPRESSED_POINT: u8 = 4;
    let point: Vec<u8> = std::iter::once(UNCOMPRESSED_POINT).chain(*key).collect();
    der_signature(signature)
        .is_some_and(|signature| ecdsa_p256().verify_signature(&point, message, &signature).is_ok())
}

pub(crate) fn ecdsa_p256() -> &'static dyn SignatureVerificationAlgorithm {
    <DefaultConfig as Config>::Crypto::sig_algo()
}

fn der_signature(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(32)?;
    <DefaultConfig as Config>::SigEncoder::encode_ecdsa_sig(r, s).ok()
}
