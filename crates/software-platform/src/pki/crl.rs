//! Certificate revocation lists.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams};

use super::collateral_issue::Validity;
use super::{Authority, PkiError};

/// DER: the CRL of this authority, numbered by its time of issue.
pub(crate) fn crl(
    authority: &Authority,
    revoked_serials: &[[u8; 20]],
    validity: Validity,
) -> Result<Vec<u8>, PkiError> {
    let revoked = |serial: &[u8; 20]| RevokedCertParams {
        serial_number: serial.to_vec().into(),
        revocation_time: validity.issued,
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: validity.issued,
        next_update: validity.next_update,
        crl_number: validity.number().into(),
        issuing_distribution_point: None,
        revoked_certs: revoked_serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(&authority.issuer)?.der().to_vec())
}
