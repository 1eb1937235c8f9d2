//! The identities of Intel's enclaves.

use std::fmt;
use std::time::SystemTime;

use dcap_qvl::QeIdentity;
use printable::json_error;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::signed_json::SignedJson;
use super::{CollateralError, Signer, Validity};
use crate::TrustedRoots;

const WHAT: &str = "the enclave identity";

/// The version of enclave identities since API version 3.
const VERSION: u8 = 2;

/// One of Intel's enclaves. As text its `id` in the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnclaveId {
    /// `QE`: the Quoting Enclave of SGX.
    Qe,
    /// `QVE`: the Quote Verification Enclave.
    Qve,
    /// `TD_QE`: the Quoting Enclave of TDX.
    TdQe,
}

/// A valid enclave identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnclaveIdentity {
    /// The enclave.
    pub id: EnclaveId,
    /// The TCB recovery event that it includes.
    pub tcb_evaluation_data_number: u32,
    /// `issueDate` and `nextUpdate`.
    pub validity: Validity,
    /// The TCB signer.
    pub signer: Signer,
}

/// Checks an enclave identity, version 2.
///
/// `body` is the whole response, `{"enclaveIdentity":{…},"signature":"…"}`; `issuer_chain` the PEM
/// of the TCB signer's certificate and the root's.
///
/// # Errors
/// [`CollateralError`] when it is not valid at `now`.
pub fn check_enclave_identity(
    body: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<EnclaveIdentity, CollateralError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response<'a> {
        #[serde(borrow)]
        enclave_identity: &'a RawValue,
        #[serde(with = "hex")]
        signature: [u8; 64],
    }
    let response: Response<'_> = serde_json::from_slice(body)
        .map_err(|error| CollateralError::unreadable(WHAT, &json_error(&error)))?;
    let json = SignedJson {
        what: WHAT,
        json: response.enclave_identity.get(),
        signature: &response.signature,
    };
    json.check_enclave_identity(issuer_chain, roots, now).map(|(identity, _)| identity)
}

impl SignedJson<'_> {
    /// Checks an enclave identity, and returns its contents, too.
    pub(crate) fn check_enclave_identity(
        &self,
        issuer_chain: &str,
        roots: &TrustedRoots,
        now: SystemTime,
    ) -> Result<(EnclaveIdentity, QeIdentity), CollateralError> {
        let unreadable = |reason: &str| CollateralError::unreadable(self.what, reason);
        self.check_version(VERSION)?;
        let contents: QeIdentity =
            serde_json::from_str(self.json).map_err(|error| unreadable(&json_error(&error)))?;
        let id = EnclaveId::named(&contents.id)
            .ok_or_else(|| unreadable(&format!("unknown enclave \"{}\"", contents.id)))?;
        let tcb_evaluation_data_number = contents.tcb_evaluation_data_number;
        let validity = Validity::parse(self.what, &contents.issue_date, &contents.next_update)?;
        let signer = self.check(issuer_chain, roots, validity, now)?;
        Ok((EnclaveIdentity { id, tcb_evaluation_data_number, validity, signer }, contents))
    }
}

impl EnclaveId {
    const ALL: [Self; 3] = [Self::Qe, Self::Qve, Self::TdQe];

    fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|enclave| enclave.to_string() == id)
    }
}

impl fmt::Display for EnclaveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qe => "QE",
            Self::Qve => "QVE",
            Self::TdQe => "TD_QE",
        })
    }
}
