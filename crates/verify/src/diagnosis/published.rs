//! What the vendor publishes about its platforms: signed JSON with dates.

use dcap_qvl::{QeIdentity, TcbInfo};
use serde::de::DeserializeOwned;
use sgx::Collateral;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::certificates::{Authority, signed_by};
use crate::failure::Problem;

/// The TCB info of the collateral.
pub(super) fn tcb_info(
    collateral: &Collateral,
    authority: &Authority<'_>,
    now: u64,
) -> Result<TcbInfo, Problem> {
    let published = Published {
        what: "the TCB info",
        json: &collateral.tcb_info,
        signature: &collateral.tcb_info_signature,
        chain: &collateral.tcb_info_issuer_chain,
    };
    let info: TcbInfo = published.read()?;
    published.check_dates(&info.issue_date, &info.next_update, now)?;
    published.check_signature(authority)?;
    Ok(info)
}

/// The QE identity of the collateral.
pub(super) fn qe_identity(
    collateral: &Collateral,
    authority: &Authority<'_>,
    now: u64,
) -> Result<QeIdentity, Problem> {
    let published = Published {
        what: "the QE identity",
        json: &collateral.qe_identity,
        signature: &collateral.qe_identity_signature,
        chain: &collateral.qe_identity_issuer_chain,
    };
    let identity: QeIdentity = published.read()?;
    published.check_dates(&identity.issue_date, &identity.next_update, now)?;
    published.check_signature(authority)?;
    match (identity.id.as_str(), identity.version) {
        ("QE", 2) => Ok(identity),
        (id, version) => Err(Problem::Undecided(format!(
            "the QE identity is \"{id}\" version {version}; an SGX quote needs \"QE\" version 2"
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
    fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_str(self.json)
            .map_err(|error| self.unusable(&format!("cannot be read: {error}")))
    }

    fn check_dates(&self, issued: &str, next_update: &str, now: u64) -> Result<(), Problem> {
        if now < self.seconds(issued)? {
            return Err(self.unusable(&format!("is not yet valid: it was issued at {issued}")));
        }
        if now > self.seconds(next_update)? {
            let reason = format!("expired at {next_update}; fetch the collateral again");
            return Err(self.unusable(&reason));
        }
        Ok(())
    }

    fn seconds(&self, date: &str) -> Result<u64, Problem> {
        OffsetDateTime::parse(date, &Rfc3339)
            .ok()
            .and_then(|date| u64::try_from(date.unix_timestamp()).ok())
            .ok_or_else(|| self.unusable(&format!("has a date that cannot be read: {date:?}")))
    }

    fn check_signature(&self, authority: &Authority<'_>) -> Result<(), Problem> {
        let chain = format!("the certificate chain of {}", self.what);
        let signer = authority.leaf(&chain, self.chain.as_bytes(), 0)?;
        if signed_by(&signer, self.json.as_bytes(), self.signature) {
            return Ok(());
        }
        let what = self.what;
        Err(Problem::Refused(format!("{what} is not what its publisher signed; it was changed")))
    }

    fn unusable(&self, reason: &str) -> Problem {
        Problem::Undecided(format!("{} {reason}", self.what))
    }
}
