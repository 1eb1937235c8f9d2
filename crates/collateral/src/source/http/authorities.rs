//! Trusted certificates: CAs, and certificates of servers themselves.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use untrusted_input::environment;

use super::SourceOpenError;

/// The largest file of CAs, in bytes: those of a system have about 220,000.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// CA files of distributions: Debian, Fedora and RHEL, openSUSE, Alpine.
const OF_SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates that the system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR`, which name others,
/// are variables like the others: where the environment is ignored, so are they.
pub(super) fn of_system() -> Vec<CertificateDer<'static>> {
    if !environment::is_ignored() {
        return rustls_native_certs::load_native_certs().certs;
    }
    OF_SYSTEM.iter().find_map(|path| of_file(Path::new(path)).ok()).unwrap_or_default()
}

/// The certificates in this file, in PEM.
pub(super) fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, SourceOpenError> {
    let wrong = |reason: String| SourceOpenError { path: path.to_owned(), reason };
    let pem = untrusted_input::read(path, MAX_FILE).map_err(|error| wrong(error.to_string()))?;
    let sections = pem::parse_many(pem).map_err(|error| wrong(error.to_string()))?;
    let certificates = sections.into_iter().filter(|section| section.tag() == "CERTIFICATE");
    let certificates: Vec<_> = certificates.map(|section| section.into_contents().into()).collect();
    match certificates.is_empty() {
        true => Err(wrong("there is no certificate".to_owned())),
        false => Ok(certificates),
    }
}
