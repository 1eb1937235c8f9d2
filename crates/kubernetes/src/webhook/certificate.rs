//! Certificates, their keys and their renewal: pure, with the time as an argument.

mod authority;
mod leaf;
mod rotation;

pub(crate) use authority::with_older_authorities;
pub(crate) use leaf::Leaf;
pub(crate) use rotation::{ActiveCertificates, IssueError, rotate, stored};

use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

/// The service of a webhook, whose DNS names are in its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName {
    /// The service.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

impl ServiceName {
    /// The names in the certificate. The API server uses the first.
    fn dns_names(&self) -> [String; 2] {
        let Self { name, namespace } = self;
        [format!("{name}.{namespace}.svc"), format!("{name}.{namespace}.svc.cluster.local")]
    }
}

/// Certificates and keys in PEM, as in the Secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Material {
    /// The certificates of the authorities that may have signed a replica's certificate, the newest
    /// first.
    pub(crate) authorities: String,
    /// The key of the newest authority.
    pub(crate) authority_key: Zeroizing<String>,
    /// The serving certificate.
    pub(crate) certificate: String,
    /// Its key.
    pub(crate) key: Zeroizing<String>,
}

/// A problem of a certificate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum CertificateProblem {
    #[error("it cannot be read")]
    Unreadable,
    #[error("its key does not match")]
    AnotherKey,
    #[error("it is not valid now")]
    NotValidNow,
    #[error("it is invalid for this service: {0}")]
    NotForService(rustls::Error),
}

/// The validity of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    begin: SystemTime,
    pub(crate) end: SystemTime,
}

impl Validity {
    /// From an hour ago, for peers with a slow clock.
    fn starting(now: SystemTime, life: Duration) -> Self {
        const SLOW_CLOCK: Duration = Duration::from_secs(60 * 60);
        Self {
            begin: now.checked_sub(SLOW_CLOCK).unwrap_or(now),
            end: now.checked_add(life).unwrap_or(now),
        }
    }

    /// The validity in the certificate.
    fn of(certificate: &[u8]) -> Result<Self, CertificateProblem> {
        let certificate =
            Certificate::from_der(certificate).map_err(|_| CertificateProblem::Unreadable)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self {
            begin: validity.not_before.to_system_time(),
            end: validity.not_after.to_system_time(),
        })
    }

    fn contains(&self, now: SystemTime) -> bool {
        self.begin <= now && now <= self.end
    }

    /// True if less than a third of it is left.
    fn needs_renewal(&self, now: SystemTime) -> bool {
        let life = self.end.duration_since(self.begin).unwrap_or_default();
        let left = self.end.duration_since(now).unwrap_or_default();
        left.saturating_mul(3) < life
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificates in a PEM text, at least one.
fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
    let blocks = pem::parse_many(text).map_err(|_| CertificateProblem::Unreadable)?;
    match blocks.iter().all(|block| block.tag() == "CERTIFICATE") && !blocks.is_empty() {
        true => Ok(blocks.into_iter().map(|block| block.into_contents().into()).collect()),
        false => Err(CertificateProblem::Unreadable),
    }
}

/// A certificate with its key, which must match.
fn certified(
    certificate: CertificateDer<'static>,
    key: &str,
) -> Result<CertifiedKey, CertificateProblem> {
    let key = pem::parse(key).map_err(|_| CertificateProblem::Unreadable)?.into_contents();
    let key = PrivateKeyDer::try_from(key).map_err(|_| CertificateProblem::Unreadable)?;
    let provider = aws_lc_rs::default_provider();
    CertifiedKey::from_der(vec![certificate], key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateProblem::AnotherKey,
        _ => CertificateProblem::Unreadable,
    })
}
