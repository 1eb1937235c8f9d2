//! The CAs that vouch for servers.

use std::path::Path;
use std::sync::Arc;

use untrusted_input::environment;
use ureq::tls::{Certificate, RootCerts};

use super::SourceOpenError;

/// The largest file of CAs, in bytes: those of a system have about 220,000.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Where distributions keep the CAs of the system: Debian, Fedora and RHEL, openSUSE, Alpine.
const OF_SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The CAs of the system. `SSL_CERT_FILE` and `SSL_CERT_DIR`, which name others, are variables like the others: where
/// the environment is ignored, so are they.
pub(super) fn of_system() -> RootCerts {
    if !environment::is_ignored() {
        return RootCerts::PlatformVerifier;
    }
    let certificates = OF_SYSTEM.iter().find_map(|path| read(Path::new(path)).ok());
    RootCerts::Specific(Arc::new(certificates.unwrap_or_default()))
}

/// The CAs in this file, in PEM.
pub(super) fn of_file(path: &Path) -> Result<RootCerts, SourceOpenError> {
    Ok(RootCerts::Specific(Arc::new(read(path)?)))
}

fn read(path: &Path) -> Result<Vec<Certificate<'static>>, SourceOpenError> {
    let wrong = |reason: String| SourceOpenError { path: path.to_owned(), reason };
    let pem = untrusted_input::read(path, MAX_FILE).map_err(|error| wrong(error.to_string()))?;
    let sections = pem::parse_many(pem).map_err(|error| wrong(error.to_string()))?;
    let certificates = sections.iter().filter(|section| section.tag() == "CERTIFICATE");
    let certificates: Vec<_> =
        certificates.map(|section| Certificate::from_der(section.contents()).to_owned()).collect();
    match certificates.is_empty() {
        true => Err(wrong("there is no certificate".to_owned())),
        false => Ok(certificates),
    }
}
