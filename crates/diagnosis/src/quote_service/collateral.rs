//! The expiry of the collateral of this platform's quotes.

use std::time::SystemTime;

use serde_json::Value;
use sgx::Collateral;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode as _;

use super::verification::Verification;
use crate::expiry::{Expiry, earliest};
use crate::finding::Finding;

const NAME: &str = "collateral";
/// A shorter validity is a warning, in days: collateral is issued for 30.
const WARNING_DAYS: u32 = 7;

/// The expiry of the collateral that verified the quote.
pub(crate) fn finding(verification: Option<&Verification>, now: SystemTime) -> Finding {
    match verification {
        None => Finding::skipped(NAME, "there is no quote", "see `self-quote`"),
        Some(Verification::NoCollateralGiven | Verification::NoCollateral(_)) => {
            Finding::skipped(NAME, "there is none", "see `verification`")
        }
        Some(Verification::Done { collateral, .. }) => of_collateral(collateral, now),
    }
}

fn of_collateral(collateral: &Collateral, now: SystemTime) -> Finding {
    let Some(first) = expiries(collateral).and_then(earliest) else {
        return Finding::failed(
            NAME,
            "the collateral cannot be read",
            "get other collateral, with --source URL",
        );
    };
    let fix = "have the PCCS fetch it again (it must reach Intel's PCS), or replace the file of \
               --collateral";
    first.finding(NAME, now, WARNING_DAYS, "", fix)
}

/// All expiries; `None` if one of them cannot be read.
fn expiries(collateral: &Collateral) -> Option<Vec<Expiry>> {
    let mut expiries = vec![
        signed_json("TCB info", &collateral.tcb_info)?,
        signed_json("QE identity", &collateral.qe_identity)?,
        crl("the CRL of PCK certificates", &collateral.pck_crl)?,
        crl("the root's CRL", &collateral.root_ca_crl)?,
    ];
    for (what, chain) in [
        ("a certificate behind the CRL", &collateral.pck_crl_issuer_chain),
        ("a certificate behind TCB info", &collateral.tcb_info_issuer_chain),
        ("a certificate behind QE identity", &collateral.qe_identity_issuer_chain),
    ] {
        for certificate in pem::parse_many(chain).ok()? {
            expiries.push(Expiry::of_certificate(what, certificate.contents())?);
        }
    }
    Some(expiries)
}

fn signed_json(what: &str, json: &str) -> Option<Expiry> {
    let json: Value = serde_json::from_str(json).ok()?;
    let next_update = OffsetDateTime::parse(json.get("nextUpdate")?.as_str()?, &Rfc3339).ok()?;
    Some(Expiry { what: what.to_owned(), at: next_update.into() })
}

fn crl(what: &str, der: &[u8]) -> Option<Expiry> {
    let list: CertificateList = CertificateList::from_der(der).ok()?;
    let next_update = list.tbs_cert_list.next_update?.to_unix_duration();
    Some(Expiry { what: what.to_owned(), at: SystemTime::UNIX_EPOCH.checked_add(next_update)? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Issued now, for 30 days.
    fn collateral() -> Collateral {
        let platform = fixtures::software_platform();
        let now = OffsetDateTime::now_utc();
        let issue = platform.deployment().up_to_date(&platform.pck_subject(), now);
        platform.collateral(&issue).unwrap()
    }

    #[test]
    fn collateral_of_today_is_good_and_later_it_is_not() {
        let collateral = collateral();
        let finding = |days| of_collateral(&collateral, SystemTime::now() + days * DAY);
        assert_eq!(finding(0).status, Status::Ok);
        assert_eq!(finding(22).status, Status::Ok);
        assert_eq!(finding(24).status, Status::Warning);
        let expired = finding(31);
        assert_eq!(expired.status, Status::Failed);
        assert!(expired.fix.unwrap().contains("PCCS"));
    }

    #[test]
    fn the_first_expiry_is_named_of_each_kind() {
        let soon = "2001-01-01T00:00:00Z";
        let collateral = collateral();
        for what in ["TCB info", "QE identity"] {
            let mut collateral = collateral.clone();
            let json = match what {
                "TCB info" => &mut collateral.tcb_info,
                _ => &mut collateral.qe_identity,
            };
            let mut value: Value = serde_json::from_str(json).unwrap();
            value["nextUpdate"] = soon.into();
            *json = value.to_string();
            let found = of_collateral(&collateral, SystemTime::now());
            assert!(
                found.detail.starts_with(&format!("{what} expired on 2001-01-01")),
                "{found:?}"
            );
            assert_eq!(found.value.as_deref(), Some(soon));
        }
        let expiries = expiries(&collateral).unwrap();
        let named = |text: &str| expiries.iter().any(|expiry| expiry.what.contains(text));
        for text in ["PCK", "root's CRL", "behind the CRL", "behind TCB info", "behind QE"] {
            assert!(named(text), "{text}");
        }
    }

    #[test]
    fn collateral_that_cannot_be_read_is_a_failure() {
        let broken = Collateral { pck_crl: b"no CRL".to_vec(), ..collateral() };
        assert_eq!(of_collateral(&broken, SystemTime::now()).status, Status::Failed);
        let broken = Collateral { root_ca_crl: b"no CRL".to_vec(), ..collateral() };
        assert_eq!(of_collateral(&broken, SystemTime::now()).status, Status::Failed);
        let broken = Collateral { tcb_info: "{}".to_owned(), ..collateral() };
        assert_eq!(of_collateral(&broken, SystemTime::now()).status, Status::Failed);
    }

    #[test]
    fn no_collateral_is_skipped() {
        let now = SystemTime::now();
        assert_eq!(finding(None, now).status, Status::Skipped);
        let none = finding(Some(&Verification::NoCollateralGiven), now);
        assert_eq!(none.status, Status::Skipped);
    }
}
