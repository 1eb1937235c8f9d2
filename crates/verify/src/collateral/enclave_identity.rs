//! The identities of Intel's enclaves.

use std::cmp::Reverse;
use std::fmt;
use std::time::SystemTime;

use printable::json_error;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::issuer_chain::TcbSigners;
use super::published_level::{OF_COMPONENTS, PublishedLevel};
use super::signed_json::{SignedJson, Versioned};
use super::{CollateralError, Now, Signer, Validity};
use crate::{TcbStatus, TrustedRoots};

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
    pub(crate) mr_signer: [u8; 32],
    pub(crate) isv_prod_id: u16,
    /// Bits of MISCSELECT, and those that count.
    pub(crate) misc_select: Masked<4>,
    /// Bits of ATTRIBUTES, and those that count.
    pub(crate) attributes: Masked<16>,
    /// The highest first.
    pub(crate) tcb_levels: Vec<EnclaveLevel>,
}

/// Bits, and a mask of those that count; the others must be 0 in `bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masked<const N: usize> {
    bits: [u8; N],
    mask: [u8; N],
}

/// The TCB level of an enclave at this ISVSVN or above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EnclaveLevel {
    pub(crate) isv_svn: u16,
    pub(crate) date: SystemTime,
    pub(crate) status: TcbStatus,
    pub(crate) advisory_ids: Vec<String>,
}

impl<const N: usize> Masked<N> {
    /// True if these bits are the expected ones where it counts.
    pub(crate) fn matches(&self, bits: &[u8]) -> bool {
        bits.iter().zip(&self.mask).map(|(bits, mask)| bits & mask).eq(self.bits)
    }
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
    json.check_enclave_identity(issuer_chain, &mut TcbSigners::new(roots, Now::At(now)))
}

impl SignedJson<'_> {
    /// Checks an enclave identity.
    pub(crate) fn check_enclave_identity(
        &self,
        issuer_chain: &str,
        signers: &mut TcbSigners<'_>,
    ) -> Result<EnclaveIdentity, CollateralError> {
        let published: Published = self.parse(VERSION)?;
        let unreadable = |reason: &str| CollateralError::unreadable(self.what, reason);
        let id = EnclaveId::named(&published.id)
            .ok_or_else(|| unreadable(&format!("unknown enclave \"{}\"", published.id)))?;
        let validity = Validity::parse(self.what, &published.issue_date, &published.next_update)?;
        let levels = published.tcb_levels.into_iter().map(EnclaveLevel::try_from);
        let mut tcb_levels: Vec<_> = levels.collect::<Result<_, _>>()?;
        tcb_levels.sort_by_key(|level| Reverse((level.isv_svn, level.date)));
        Ok(EnclaveIdentity {
            id,
            tcb_evaluation_data_number: published.tcb_evaluation_data_number,
            validity,
            signer: self.check(issuer_chain, signers, validity)?,
            mr_signer: published.mr_signer,
            isv_prod_id: published.isv_prod_id,
            misc_select: Masked { bits: published.misc_select, mask: published.misc_select_mask },
            attributes: Masked { bits: published.attributes, mask: published.attributes_mask },
            tcb_levels,
        })
    }
}

/// The JSON of an enclave identity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    version: u32,
    id: String,
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
    #[serde(rename = "miscselect", with = "hex")]
    misc_select: [u8; 4],
    #[serde(rename = "miscselectMask", with = "hex")]
    misc_select_mask: [u8; 4],
    #[serde(with = "hex")]
    attributes: [u8; 16],
    #[serde(with = "hex")]
    attributes_mask: [u8; 16],
    #[serde(rename = "mrsigner", with = "hex")]
    mr_signer: [u8; 32],
    #[serde(rename = "isvprodid")]
    isv_prod_id: u16,
    tcb_levels: Vec<PublishedLevel<PublishedSvn>>,
}

impl Versioned for Published {
    fn version(&self) -> u32 {
        self.version
    }
}

#[derive(Deserialize)]
struct PublishedSvn {
    isvsvn: u16,
}

impl TryFrom<PublishedLevel<PublishedSvn>> for EnclaveLevel {
    type Error = CollateralError;

    fn try_from(level: PublishedLevel<PublishedSvn>) -> Result<Self, CollateralError> {
        Ok(Self {
            isv_svn: level.svns.isvsvn,
            date: level.date(WHAT)?,
            status: level.status(WHAT, &OF_COMPONENTS)?,
            advisory_ids: level.advisory_ids,
        })
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
