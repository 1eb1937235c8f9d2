//! The PCK certificates of the service's quote: their platform and their expiry.

use std::time::SystemTime;

use sgx::{CertificationDataType, Collateral, Quote};
use verify::SgxExtension;

use crate::expiry::{Expiry, earliest};
use crate::finding::Finding;

const NAME: &str = "certificates";
/// A shorter validity is a warning, in days: PCK certificates last for years, and are renewed by
/// hand.
const WARNING_DAYS: u32 = 30;

/// The expiry of the certificates, which are in the quote or come with the collateral.
pub(crate) fn finding(
    quote: Option<&[u8]>,
    collateral: Option<&Collateral>,
    now: SystemTime,
) -> Finding {
    let Some(quote) = quote else {
        return Finding::skipped(NAME, "there is no quote", "see `self-quote`");
    };
    let Some(chain) = chain(quote, collateral) else {
        return Finding::skipped(
            NAME,
            "the quote carries no certificates, only the key that a PCCS finds them by",
            "pass --source URL of the PCCS that has them",
        );
    };
    read(&chain).map_or_else(unreadable, |(platform, first)| {
        let fix = "renew the platform's certificates at their PCCS (PCKIDRetrievalTool registers \
                   the platform with it), then restart the service; on the software platform, \
                   `quote-helper platform init` again";
        first.finding(NAME, now, WARNING_DAYS, &format!("; {platform}"), fix)
    })
}

/// The chain in PEM, the PCK certificate first.
fn chain(quote: &[u8], collateral: Option<&Collateral>) -> Option<Vec<u8>> {
    let certification_data = Quote::parse_padded(quote).ok()?.signature.certification_data;
    match certification_data.data_type {
        CertificationDataType::PCK_CERTIFICATE_CHAIN => Some(certification_data.data),
        _ => collateral?.pck_certificate_chain.clone().map(String::into_bytes),
    }
}

/// The platform of the certificates, and the first expiry.
fn read(chain: &[u8]) -> Option<(String, Expiry)> {
    let chain = pem::parse_many(chain).ok()?;
    let platform = SgxExtension::read(chain.first()?.contents()).ok()?;
    let whats = ["the PCK certificate", "the PCK certificate's CA", "the root certificate"];
    let expiries =
        chain.iter().zip(whats).map(|(it, what)| Expiry::of_certificate(what, it.contents()));
    let first = earliest(expiries.collect::<Option<Vec<_>>>()?)?;
    let (fmspc, pce_id) = (hex::encode(platform.fmspc), hex::encode(platform.pce_id));
    Some((format!("FMSPC {fmspc}, PCE id {pce_id}"), first))
}

fn unreadable() -> Finding {
    Finding::failed(
        NAME,
        "the certificates that come with the quote cannot be read",
        "see the log of the service, and what its quote provider library or PCCS has for this \
         platform",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use quoting::SoftwareQuoter;

    use super::super::self_quote;
    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn quote() -> Vec<u8> {
        let platform = Arc::new(fixtures::software_platform());
        self_quote::quote(&SoftwareQuoter::new(platform)).unwrap()
    }

    #[test]
    fn the_platform_is_named_and_the_certificate_that_expires_first() {
        let quote = quote();
        let now = SystemTime::now();
        let today = finding(Some(&quote), None, now);
        assert_eq!(today.status, Status::Ok, "{today:?}");
        for text in ["FMSPC ", "PCE id ", "PCK certificate"] {
            assert!(today.detail.contains(text), "{today:?}");
        }
        let chain = chain(&quote, None).unwrap();
        let (_, first) = read(&chain).unwrap();
        let finding = |time| finding(Some(&quote), None, time).status;
        assert_eq!(finding(first.at - 30 * DAY), Status::Ok);
        assert_eq!(finding(first.at - 29 * DAY), Status::Warning);
        assert_eq!(finding(first.at + DAY), Status::Failed);
    }

    #[test]
    fn no_quote_and_no_certificates_are_skipped() {
        assert_eq!(finding(None, None, SystemTime::now()).status, Status::Skipped);
        let mut quote = Quote::parse_padded(&quote()).unwrap();
        quote.signature.certification_data.data_type =
            CertificationDataType::PPID_RSA3072_ENCRYPTED;
        let skipped = finding(Some(&quote.to_bytes()), None, SystemTime::now());
        assert_eq!(skipped.status, Status::Skipped);
        assert!(skipped.fix.unwrap().contains("--source"));
    }

    #[test]
    fn certificates_that_cannot_be_read_are_a_failure() {
        for data in
            [&b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"[..], b"", b"x"]
        {
            let mut quote = Quote::parse_padded(&quote()).unwrap();
            quote.signature.certification_data.data = data.to_vec();
            let failed = finding(Some(&quote.to_bytes()), None, SystemTime::now());
            assert_eq!(failed.status, Status::Failed);
        }
    }
}
