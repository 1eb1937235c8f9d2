//! What the vendor publishes about its platforms: signed JSON with dates.

use std::time::SystemTime;

use dcap_qvl::QeIdentity;
use sgx::Collateral;

use crate::TcbInfo;
use crate::certificates::Authority;
use crate::collateral::read_enclave_identity;
use crate::failure::Problem;
use crate::signatures::signed_by;

/// The TCB info of the collateral.
pub(super) fn tcb_info(
    collateral: &Collateral,
    authority: &Authority<'_>,
    now: SystemTime,
) -> Result<TcbInfo, Problem> {
    let published = Published {
        what: "the TCB info",
        json: &collateral.tcb_info,
        signature: &collateral.tcb_info_signature,
        chain: &collateral.tcb_info_issuer_chain,
    };
    let info = TcbInfo::read(published.json)?;
    info.validity.check(published.what, now)?;
    published.check_signature(authority)?;
    Ok(info)
}

/// The QE identity of the collateral.
pub(super) fn qe_identity(
    collateral: &Collateral,
    authority: &Authority<'_>,
    now: SystemTime,
) -> Result<QeIdentity, Problem> {
    let published = Published {
        what: "the QE identity",
        json: &collateral.qe_identity,
        signature: &collateral.qe_identity_signature,
        chain: &collateral.qe_identity_issuer_chain,
    };
    let (identity, validity) = read_enclave_identity(published.what, published.json)?;
    validity.check(published.what, now)?;
    published.check_signature(authority)?;
    match identity.id.as_str() {
        "QE" => Ok(identity),
        id => Err(Problem::Undecided(format!(
            "the QE identity is of \"{id}\"; an SGX quote needs that of \"QE\""
        ))),
    }
}

struct Published<'a> {
    what: &'static str,
    json: &'a str,
    signature: &'a [u8],
    chain: &'a str,
}

impl Published<'_> {
    fn check_signature(&self, authority: &Authority<'_>) -> Result<(), Problem> {
        let chain = format!("the certificate chain of {}", self.what);
        let signer = authority.leaf(&chain, self.chain.as_bytes(), 0)?;
        if signed_by(&signer, self.json.as_bytes(), self.signature) {
            return Ok(());
        }
        let what = self.what;
        Err(Problem::Refused(format!("{what} is not what its publisher signed; it was changed")))
    }
}
