//! Certificates in PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::CollateralError;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Reads PEM that holds `N` certificates and nothing else but white space; returns their DER.
pub(super) fn parse<const N: usize>(
    what: &str,
    pem: &[u8],
) -> Result<[Vec<u8>; N], CollateralError> {
    let unreadable = |reason: &str| CollateralError::unreadable(what, reason);
    let (mut rest, mut certificates) = (pem.trim_ascii_start(), Vec::new());
    while !rest.is_empty() {
        let section = rest.strip_prefix(BEGIN);
        let section =
            section.ok_or_else(|| unreadable("it has other contents than PEM certificates"))?;
        let size = section.iter().position(|byte| *byte == b'-').unwrap_or_default();
        let (base64, end) = section.split_at_checked(size).unwrap_or_default();
        let base64: Vec<u8> =
            base64.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let certificate = STANDARD.decode(base64).ok().zip(end.strip_prefix(END));
        let (certificate, after) = certificate.ok_or_else(|| unreadable("its PEM is damaged"))?;
        certificates.push(certificate);
        rest = after.trim_ascii_start();
    }
    let found = certificates.len();
    certificates
        .try_into()
        .map_err(|_| unreadable(&format!("it has {found} certificates instead of {N}")))
}
