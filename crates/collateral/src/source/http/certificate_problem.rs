//! Messages about untrusted TLS certificates of servers.

use std::time::{Duration, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

/// Maximum number of a certificate's names in a message: it may have thousands.
const MAX_NAMES: usize = 5;

/// A certificate that is only trusted if it is itself among the trusted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// It says CA:TRUE.
    #[error(
        "it is a CA's certificate (CA:TRUE), which is good for a server only if exactly this one \
         is in the file that ca_file names; put it there, or let the CA issue one for the server"
    )]
    CaAsServer,
    /// It is older than the names of hosts in certificates.
    #[error(
        "it is an X.509 certificate of version 1, which is good only if exactly this one is in \
         the file that ca_file names; put it there, or issue it anew with a subjectAltName \
         (openssl x509 -req -extfile), which makes it version 3"
    )]
    Version1,
    /// Its issuer is known, and says not to be a CA.
    #[error(
        "its issuer is in the file that ca_file names, but is no CA: a CA's certificate is X.509 \
         version 3 with CA:TRUE (openssl req -x509 makes such); put the server's own certificate \
         into the file, or make a CA"
    )]
    IssuerIsNoCa,
}

/// The problem of the certificate, and its fix.
pub(super) fn describe(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "neither it nor the CA that issued it is known here; name a file with one of the two \
             as ca_file"
                .to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "it expired at {}; renew it at the server, unless the clock here is wrong",
            date(*not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "it is not valid before {}; set the clock here, or issue it anew",
            date(*not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let host = expected.to_str();
            match presented.as_slice() {
                [] => format!("it names no host; issue it anew with {host} as subjectAltName"),
                names => format!(
                    "it is for {}, not for {host}; use such a name in the URL, or issue it anew \
                     with {host} as subjectAltName",
                    list(names)
                ),
            }
        }
        CertificateError::InvalidPurposeContext { .. } | CertificateError::InvalidPurpose => {
            "its extended key usage is for something else than servers; issue it anew with \
             serverAuth, or without extended key usage"
                .to_owned()
        }
        CertificateError::BadEncoding => "it is damaged: no DER of an X.509 certificate".to_owned(),
        CertificateError::BadSignature => {
            "a signature with its key, or of its issuer, is wrong; its key may be another one than \
             the server's"
                .to_owned()
        }
        CertificateError::Other(other) => other.to_string(),
        other => other.to_string(),
    }
}

/// Names from a certificate, quoted: they may have anything in them.
fn list(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| format!("{name:?}")).collect();
    if names.len() > MAX_NAMES {
        shown.push("others".to_owned());
    }
    shown.join(", ")
}

fn date(time: UnixTime) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    at.map(printable::rfc3339).unwrap_or_default()
}
