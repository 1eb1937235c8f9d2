//! Identities of the platform's own enclaves.

use sgx::{Attributes, MrEnclave, MrSigner};

use crate::EnclaveIdentity;
use crate::hash::sha256;

/// FMSPC of every software platform, 6 bytes: ASCII `SOFTWR`.
pub const FMSPC: [u8; 6] = *b"SOFTWR";

/// PCE id, 2 bytes: zero, as on Intel's platforms.
pub const PCE_ID: [u8; 2] = [0; 2];

/// ISVSVN of the PCE.
pub const PCE_SVN: u16 = 13;

/// ISVSVN of the QE.
pub const QE_SVN: u16 = 8;

/// The Quoting Enclave: signer and product id of Intel's, which clients expect; MRENCLAVE is
/// SHA-256 of `sgx-quote-helper software quoting enclave`.
#[must_use]
pub fn quoting_enclave_identity() -> EnclaveIdentity {
    architectural_enclave("sgx-quote-helper software quoting enclave", 1, QE_SVN)
}

/// The Provisioning Certification Enclave: as the QE, with product id 0; MRENCLAVE is SHA-256 of
/// `sgx-quote-helper software provisioning certification enclave`.
pub(crate) fn provisioning_certification_enclave_identity() -> EnclaveIdentity {
    let name = "sgx-quote-helper software provisioning certification enclave";
    architectural_enclave(name, 0, PCE_SVN)
}

fn architectural_enclave(name: &str, isv_prod_id: u16, isv_svn: u16) -> EnclaveIdentity {
    let flags = Attributes::INIT | Attributes::MODE64BIT | Attributes::PROVISION_KEY;
    EnclaveIdentity {
        mr_enclave: MrEnclave(sha256(&[name.as_bytes()])),
        mr_signer: MrSigner::INTEL_QE,
        isv_prod_id,
        isv_svn,
        attributes: Attributes::new(flags, 0xe7),
        ..EnclaveIdentity::default()
    }
}
