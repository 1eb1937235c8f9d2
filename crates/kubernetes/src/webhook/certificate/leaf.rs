//! The serving certificate.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::sign::CertifiedKey;

use super::authority::Authority;
use super::{CertificateProblem, Material, ServiceName, Validity, certificates, certified};

/// A serving certificate with its key.
pub(crate) struct Leaf {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) validity: Validity,
}

impl Leaf {
    /// The certificate in the Secret, if the API server will accept it.
    pub(crate) fn read(
        material: &Material,
        authority: &Authority,
        service: &ServiceName,
        now: SystemTime,
    ) -> Result<Self, CertificateProblem> {
        let mut chain = certificates(&material.certificate)?.into_iter();
        let certificate = chain.next().ok_or(CertificateProblem::Unreadable)?;
        let validity = Validity::of(&certificate)?;
        let certified = Arc::new(certified(certificate, &material.key)?);
        verify(&certified, authority, service, now).map_err(CertificateProblem::NotForService)?;
        Ok(Self { certified, validity })
    }
}

/// The checks of the API server.
fn verify(
    certified: &CertifiedKey,
    authority: &Authority,
    service: &ServiceName,
    now: SystemTime,
) -> Result<(), rustls::Error> {
    let roots = Arc::new(authority.roots());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or_default());
    let certificate = certified.end_entity_cert()?;
    for name in service.dns_names() {
        let name = ServerName::try_from(name)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(certificate, &[], &name, &[], now)?;
    }
    Ok(())
}
