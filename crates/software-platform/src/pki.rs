//! The public key infrastructure of a deployment.
//!
//! The tree is the one of Intel's provisioning certification service: the root issues the
//! certificates of the two PCK CAs (platform and processor) and of the TCB signer; the PCK platform
//! CA issues a PCK certificate for each platform and TCB. Root and PCK CAs sign a CRL each, the TCB
//! signer signs TCB info and enclave identities.

mod authority;
mod certificate;
mod collateral_issue;
mod crl;
mod enclave_identity;
mod error;
mod key;
mod names;
mod pcs_url;
mod role;
mod sgx_extension;
mod signed_json;
mod tcb_info;

pub use certificate::{Certificate, PckCertificate};
pub use collateral_issue::{CollateralIssue, TcbLevel, TcbStatus};
pub use error::PkiError;
pub use names::SubjectNames;
pub use pcs_url::{PcsUrl, PcsUrlError};
pub use sgx_extension::PckSubject;
pub use signed_json::SignedJson;
pub use tcb_info::MICROCODE_COMPONENT;

pub(crate) use authority::{Authority, CertificateProfile};
pub(crate) use collateral_issue::{COLLATERAL_LIFE, whole_seconds_utc};
pub(crate) use crl::crl;
pub(crate) use enclave_identity::{Identity, PlatformEnclave};
pub(crate) use key::{PrivateKey, PublicKey};
pub(crate) use role::{ROOT_END, Role};
pub(crate) use tcb_info::TcbInfo;
