//! Expiry dates, and the findings they lead to.

use std::time::{Duration, SystemTime};

use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::finding::Finding;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An expiry date and its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) what: String,
    pub(crate) at: SystemTime,
}

impl Expiry {
    /// The expiry of a certificate; `None` if it cannot be read.
    pub(crate) fn of_certificate(what: &str, der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let at = certificate.tbs_certificate().validity().not_after.to_system_time();
        Some(Self { what: what.to_owned(), at })
    }

    /// A failure if expired, a warning if less than `warning_days` are left.
    pub(crate) fn finding(
        &self,
        name: &'static str,
        now: SystemTime,
        warning_days: u32,
        detail: &str,
        fix: &str,
    ) -> Finding {
        let Self { what, at } = self;
        let date = printable::date(*at);
        let warning = DAY.saturating_mul(warning_days);
        let finding = match at.duration_since(now) {
            Err(_) => Finding::failed(name, format!("{what} expired on {date}{detail}"), fix),
            Ok(left) if left < warning => Finding::warning(
                name,
                format!("{what} expires on {date}, in {}{detail}", days(left)),
                fix,
            ),
            Ok(_) => Finding::ok(name, format!("valid until {date} ({what}){detail}")),
        };
        finding.with_value(printable::rfc3339(*at))
    }
}

/// The first to expire.
pub(crate) fn earliest(pieces: impl IntoIterator<Item = Expiry>) -> Option<Expiry> {
    pieces.into_iter().min_by_key(|expiry| expiry.at)
}

fn days(left: Duration) -> String {
    match left.as_secs().checked_div(DAY.as_secs()) {
        Some(1) => "1 day".to_owned(),
        days => format!("{} days", days.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    #[test]
    fn an_expiry_soon_is_a_warning_and_a_past_one_a_failure() {
        let now = SystemTime::UNIX_EPOCH + 1_000 * DAY;
        let finding = |at| {
            let expiry = Expiry { what: "it".to_owned(), at };
            expiry.finding("name", now, 7, "; and so on", "renew it")
        };
        let ok = finding(now + 7 * DAY);
        assert_eq!(ok.status, Status::Ok);
        assert_eq!(ok.detail, "valid until 1972-10-04 (it); and so on");
        assert_eq!(ok.value.unwrap(), "1972-10-04T00:00:00Z");
        let soon = finding(now + 7 * DAY - Duration::from_secs(1));
        assert_eq!(soon.status, Status::Warning);
        assert_eq!(soon.detail, "it expires on 1972-10-03, in 6 days; and so on");
        assert_eq!(finding(now + DAY).detail, "it expires on 1972-09-28, in 1 day; and so on");
        let gone = finding(now - Duration::from_secs(1));
        assert_eq!((gone.status, gone.fix.as_deref()), (Status::Failed, Some("renew it")));
        assert_eq!(gone.detail, "it expired on 1972-09-26; and so on");
    }
}
