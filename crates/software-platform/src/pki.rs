//! The public key infrastructure of a deployment: what its authorities are and what they sign.
//!
//! The tree is the one of Intel's provisioning certification service: the root issues the
//! certificates of the PCK platform CA and of the TCB signer; the PCK platform CA issues a PCK
//! certificate for each platform and TCB. Root and PCK platform CA sign a CRL each, the TCB signer
//! signs TCB info and QE identity.

mod authority;
mod certificate;
mod collateral_issue;
mod crl;
mod error;
mod key;
mod names;
mod qe_identity;
mod role;
mod sgx_extension;
mod signed_json;
mod tcb_info;

pub use certificate::{Certificate, PckCertificate};
pub use collateral_issue::{CollateralIssue, TcbLevel, TcbStatus};
pub use error::PkiError;
pub use names::SubjectNames;
pub use role::{PCK_CRL_URL, ROOT_CRL_URL};
pub use sgx_extension::PckSubject;
pub use tcb_info::MICROCODE_COMPONENT;

pub(crate) use authority::Authority;
pub(crate) use collateral_issue::{COLLATERAL_LIFE, whole_seconds_utc};
pub(crate) use crl::crl;
pub(crate) use key::{PrivateKey, PublicKey};
pub(crate) use qe_identity::QeIdentity;
pub(crate) use role::{ROOT_END, Role};
pub(crate) use signed_json::SignedJson;
pub(crate) use tcb_info::TcbInfo;
