//! Single items of collateral, as in responses of a PCS or a PCCS.
//!
//! Each `check_…` function checks one response: the chain to a trusted root through the right kind
//! of issuer, the signature and the dates. The returned value names the platform, CA or enclave of
//! the item, for the caller to compare with the request.
//!
//! The caller limits the size of responses; a check takes time in proportion to it.

mod certificate;
mod claimed_root;
mod enclave_identity;
mod error;
mod issuer_chain;
mod pck_ca;
mod pck_certificate;
mod pck_chain;
mod pem_chain;
mod platform_features;
mod published_level;
mod revocation_list;
mod role;
mod sgx_extension;
mod signed_json;
mod tcb_assessment;
mod tcb_info;
mod tdx_module;
mod validity;

pub use claimed_root::{ClaimedRoot, RootKind};
pub use enclave_identity::{EnclaveId, EnclaveIdentity, check_enclave_identity};
pub use error::CollateralError;
pub use issuer_chain::{Signer, check_pck_issuer_chain, claimed_pck_ca};
pub use pck_ca::PckCa;
pub use pck_certificate::{PckCertificate, check_pck_certificate};
pub use platform_features::{PlatformFeature, PlatformFeatures, UnknownPlatformFeature};
pub use revocation_list::{PckCrl, RootCaCrl, check_pck_crl, check_root_ca_crl};
pub use sgx_extension::{SgxExtension, SgxType};
pub use tcb_assessment::{Shortfall, TcbAssessment, TcbPart};
pub use tcb_info::{TcbComponent, TcbInfo, TcbLevel, check_tcb_info};
pub use validity::{CollateralDates, Validity};

pub(crate) use certificate::Certificate;
pub(crate) use claimed_root::embedded_chain;
pub(crate) use enclave_identity::EnclaveLevel;
pub(crate) use issuer_chain::TcbSigners;
pub(crate) use pck_chain::{CertifiedPck, PckChain};
pub(crate) use revocation_list::RevocationList;
pub(crate) use signed_json::SignedJson;
pub(crate) use tdx_module::{TdxModule, TdxModuleIdentity, TdxModules};
pub(crate) use validity::Now;

/// The names of CRLs in errors.
const PCK_CRL: &str = "the CRL of the PCK CA";
const ROOT_CA_CRL: &str = "the root's CRL";
