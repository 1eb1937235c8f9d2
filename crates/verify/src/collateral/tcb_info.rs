//! TCB info: the TCB levels of a kind of platform.

use std::cmp::Reverse;
use std::time::SystemTime;

use printable::json_error;
use serde::Deserialize;
use serde_json::value::RawValue;
use sgx::Tee;

use super::issuer_chain::TcbSigners;
use super::published_level::PublishedLevel;
use super::signed_json::{SignedJson, Versioned};
use super::tdx_module::{PublishedIdentity, TdxModule, TdxModules};
use super::{CollateralError, Now, Signer, Validity};
use crate::{TcbStatus, TrustedRoots};

const WHAT: &str = "the TCB info";

/// The version of TCB info since API version 4.
const VERSION: u8 = 3;

/// The only defined comparison: each component with its own minimum.
const TCB_TYPE: u32 = 0;

/// Valid TCB info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbInfo {
    /// The kind of TEE.
    pub tee: Tee,
    /// FMSPC, 6 bytes: the kind of platform.
    pub fmspc: [u8; 6],
    /// PCE id, 2 bytes, little-endian.
    pub pce_id: [u8; 2],
    /// The TCB recovery event that it includes.
    pub tcb_evaluation_data_number: u32,
    /// `issueDate` and `nextUpdate`.
    pub validity: Validity,
    /// The levels, the highest first; at least one.
    pub tcb_levels: Vec<TcbLevel>,
    /// The TDX modules; `None` in TCB info of SGX.
    pub(crate) tdx_modules: Option<TdxModules>,
    /// The TCB signer.
    pub signer: Signer,
}

/// A TCB level: the status of platforms at these SVNs or above, and below the next higher level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbLevel {
    /// The SGX TCB components, 1 to 16, which a PCK certificate lists.
    pub components: [TcbComponent; 16],
    /// The TDX TCB components, 1 to 16, which a TD's report lists; `None` in TCB info of SGX.
    pub(crate) tdx_components: Option<[TcbComponent; 16]>,
    /// The least ISVSVN of the PCE.
    pub pce_svn: u16,
    /// The date of the level: it includes all fixes up to then.
    pub date: SystemTime,
    /// The status of such a platform.
    pub status: TcbStatus,
    /// Intel's security advisories that apply to it.
    pub advisory_ids: Vec<String>,
}

/// One of the parts that make up the TCB.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TcbComponent {
    /// Its least SVN.
    pub svn: u8,
    /// The party that updates it, such as `BIOS` or `OS/VMM`, if stated.
    #[serde(default)]
    pub category: Option<String>,
    /// Its kind, such as `Early Microcode Update`, if stated.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// Checks TCB info, version 3.
///
/// `body` is the whole response, `{"tcbInfo":{…},"signature":"…"}`; `issuer_chain` the PEM of the
/// TCB signer's certificate and the root's.
///
/// # Errors
/// [`CollateralError`] when it is not valid at `now`.
pub fn check_tcb_info(
    body: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<TcbInfo, CollateralError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response<'a> {
        #[serde(borrow)]
        tcb_info: &'a RawValue,
        #[serde(with = "hex")]
        signature: [u8; 64],
    }
    let response: Response<'_> =
        serde_json::from_slice(body).map_err(|error| unreadable(&json_error(&error)))?;
    let (json, signature) = (response.tcb_info.get(), &response.signature);
    let signed = SignedJson { what: WHAT, json, signature };
    signed.check_tcb_info(issuer_chain, &mut TcbSigners::new(roots, Now::At(now)))
}

impl SignedJson<'_> {
    /// Checks TCB info.
    pub(crate) fn check_tcb_info(
        &self,
        issuer_chain: &str,
        signers: &mut TcbSigners<'_>,
    ) -> Result<TcbInfo, CollateralError> {
        let published: Published = self.parse(VERSION)?;
        published.check_form()?;
        let validity = Validity::parse(WHAT, &published.issue_date, &published.next_update)?;
        let signer = self.check(issuer_chain, signers, validity)?;
        Ok(TcbInfo {
            tee: published.id,
            fmspc: published.fmspc,
            pce_id: published.pce_id,
            tcb_evaluation_data_number: published.tcb_evaluation_data_number,
            validity,
            tcb_levels: sorted(published.tcb_levels, published.id)?,
            tdx_modules: tdx_modules(published.tdx_module, published.tdx_module_identities)?,
            signer,
        })
    }
}

/// The levels, the highest first; Intel does not guarantee this order.
fn sorted(
    levels: Vec<PublishedLevel<PublishedSvns>>,
    tee: Tee,
) -> Result<Vec<TcbLevel>, CollateralError> {
    let levels = levels.into_iter().map(TcbLevel::try_from);
    let mut levels: Vec<TcbLevel> = levels.collect::<Result<_, _>>()?;
    levels.sort_by_cached_key(|level| Reverse((level.svns(), level.tdx_svns())));
    let mut neighbours = levels.iter().zip(levels.iter().skip(1));
    if tee == Tee::Sgx && neighbours.any(|(level, next)| level.svns() == next.svns()) {
        return Err(unreadable("it has two TCB levels with the same SVNs"));
    }
    Ok(levels)
}

impl TcbLevel {
    /// The order of levels: by the components, then by the PCE.
    pub(crate) fn svns(&self) -> ([u8; 16], u16) {
        (self.components.each_ref().map(|component| component.svn), self.pce_svn)
    }

    fn tdx_svns(&self) -> Option<[u8; 16]> {
        let components = self.tdx_components.as_ref()?;
        Some(components.each_ref().map(|component| component.svn))
    }
}

fn tdx_modules(
    base: Option<TdxModule>,
    identities: Vec<PublishedIdentity>,
) -> Result<Option<TdxModules>, CollateralError> {
    let Some(base) = base else { return Ok(None) };
    let identities = identities.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    Ok(Some(TdxModules { base, identities }))
}

/// The JSON of TCB info.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    version: u32,
    id: Tee,
    issue_date: String,
    next_update: String,
    #[serde(with = "hex")]
    fmspc: [u8; 6],
    #[serde(with = "hex")]
    pce_id: [u8; 2],
    tcb_type: u32,
    tcb_evaluation_data_number: u32,
    tcb_levels: Vec<PublishedLevel<PublishedSvns>>,
    #[serde(default)]
    tdx_module: Option<TdxModule>,
    #[serde(default)]
    tdx_module_identities: Vec<PublishedIdentity>,
}

impl Versioned for Published {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Published {
    /// Checks what Intel's verifier checks before the signature.
    fn check_form(&self) -> Result<(), CollateralError> {
        let Self { tcb_type, .. } = self;
        if *tcb_type != TCB_TYPE {
            return Err(unreadable(&format!("its tcbType is {tcb_type}, not {TCB_TYPE}")));
        }
        if self.tcb_levels.is_empty() {
            return Err(unreadable("it has no TCB levels"));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct PublishedSvns {
    sgxtcbcomponents: [TcbComponent; 16],
    #[serde(default)]
    tdxtcbcomponents: Option<[TcbComponent; 16]>,
    pcesvn: u16,
}

impl TryFrom<PublishedLevel<PublishedSvns>> for TcbLevel {
    type Error = CollateralError;

    fn try_from(level: PublishedLevel<PublishedSvns>) -> Result<Self, CollateralError> {
        Ok(Self {
            date: level.date(WHAT)?,
            components: level.svns.sgxtcbcomponents,
            tdx_components: level.svns.tdxtcbcomponents,
            pce_svn: level.svns.pcesvn,
            status: level.tcb_status,
            advisory_ids: level.advisory_ids,
        })
    }
}

fn unreadable(reason: &(impl ToString + ?Sized)) -> CollateralError {
    CollateralError::unreadable(WHAT, reason)
}
