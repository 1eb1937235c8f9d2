//! Verification collateral.

use serde::{Deserialize, Serialize};

/// The collateral for quotes of one platform: all inputs of a verification besides quote and root.
///
/// The content is that of `sgx_ql_qve_collateral_t` of the DCAP API; the JSON form is the one that
/// `dcap-qvl` reads and writes, byte strings in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collateral {
    /// PEM: issuer of the PCK CRL, then the root.
    pub pck_crl_issuer_chain: String,
    /// DER: CRL of the root.
    #[serde(with = "hex")]
    pub root_ca_crl: Vec<u8>,
    /// DER: CRL of the CA that issued the PCK certificate.
    #[serde(with = "hex")]
    pub pck_crl: Vec<u8>,
    /// PEM: TCB signing certificate, then the root.
    pub tcb_info_issuer_chain: String,
    /// JSON: the TCB info, exactly as signed.
    pub tcb_info: String,
    /// ECDSA P-256 signature over `tcb_info`: r ‖ s, big-endian, 64 bytes.
    #[serde(with = "hex")]
    pub tcb_info_signature: Vec<u8>,
    /// PEM: TCB signing certificate, then the root.
    pub qe_identity_issuer_chain: String,
    /// JSON: the QE identity, exactly as signed.
    pub qe_identity: String,
    /// ECDSA P-256 signature over `qe_identity`: r ‖ s, big-endian, 64 bytes.
    #[serde(with = "hex")]
    pub qe_identity_signature: Vec<u8>,
    /// PEM: PCK certificate chain, for a quote without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pck_certificate_chain: Option<String>,
}
