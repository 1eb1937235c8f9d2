//! The authority that signs the serving certificate, and its predecessors.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use super::{CertificateProblem, DAY, Material, ServiceName, Validity, certificates, certified};

/// The name of all authorities, which differ in their keys.
const NAME: &str = "quote-helper webhook authority";
/// The lifetime of an authority. The last third of it, after its successor is issued, is longer
/// than the lifetime of a serving certificate.
const LIFE: Duration = DAY.saturating_mul(365);
/// The lifetime of a serving certificate.
const LEAF_LIFE: Duration = DAY.saturating_mul(90);

/// The authorities to trust, the newest first, and the newest one's key.
pub(crate) struct Authority {
    certificates: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Authority {
    /// The first authority.
    pub(crate) fn generate(now: SystemTime) -> Result<Self, rcgen::Error> {
        Self::after(Vec::new(), now)
    }

    /// A successor, which signs from now on.
    pub(crate) fn renewed(self, now: SystemTime) -> Result<Self, rcgen::Error> {
        Self::after(self.certificates, now)
    }

    /// A replacement of an authority that cannot sign. Certificates that were signed by authorities
    /// in the Secret stay valid.
    pub(crate) fn replacing(stored: &Material, now: SystemTime) -> Result<Self, rcgen::Error> {
        Self::after(unexpired(stored.authorities.as_bytes(), now), now)
    }

    fn after(older: Vec<CertificateDer<'static>>, now: SystemTime) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params(Validity::starting(now, LIFE)).self_signed(&key)?;
        let certificates = [vec![certificate.der().clone()], older].concat();
        Ok(Self { certificates, key })
    }

    /// The authority in the Secret, if it can sign now.
    pub(crate) fn read(material: &Material, now: SystemTime) -> Result<Self, CertificateProblem> {
        let certificates = certificates(&material.authorities)?;
        let newest = certificates.first().ok_or(CertificateProblem::Unreadable)?;
        certificates.iter().try_for_each(|certificate| Validity::of(certificate).map(|_| ()))?;
        if !Validity::of(newest)?.contains(now) {
            return Err(CertificateProblem::NotValidNow);
        }
        certified(newest.clone(), &material.authority_key)?;
        let key = KeyPair::from_pem(&material.authority_key)
            .map_err(|_| CertificateProblem::Unreadable)?;
        Ok(Self { certificates, key })
    }

    /// True if a successor is due.
    pub(crate) fn needs_renewal(&self, now: SystemTime) -> bool {
        let validity = self.certificates.first().map(|newest| Validity::of(newest));
        !matches!(validity, Some(Ok(validity)) if !validity.needs_renewal(now))
    }

    /// Removes expired authorities; returns true if there were any.
    pub(crate) fn forget_expired(&mut self, now: SystemTime) -> bool {
        let before = self.certificates.len();
        let is_over = |it: &CertificateDer<'_>| Validity::of(it).is_ok_and(|it| it.end < now);
        self.certificates.retain(|certificate| !is_over(certificate));
        self.certificates.len() < before
    }

    /// Issues a serving certificate, in PEM with its key.
    pub(crate) fn issue(
        &self,
        service: &ServiceName,
        now: SystemTime,
    ) -> Result<(String, Zeroizing<String>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let validity = Validity::starting(now, LEAF_LIFE);
        let mut leaf = CertificateParams::new(service.dns_names())?;
        leaf.distinguished_name = name(&service.name);
        leaf.not_before = validity.begin.into();
        leaf.not_after = validity.end.into();
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        // Only the issuer's name and key are used.
        let issuer = Issuer::new(params(validity), &self.key);
        Ok((leaf.signed_by(&key, &issuer)?.pem(), Zeroizing::new(key.serialize_pem())))
    }

    /// The trusted authorities.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        roots
    }

    /// The certificates in PEM.
    pub(crate) fn pem(&self) -> String {
        pem_of(&self.certificates)
    }

    /// The newest authority's key in PEM.
    pub(crate) fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.serialize_pem())
    }
}

/// The authorities in PEM, followed by the webhook's unexpired ones in the bundle.
pub(crate) fn with_older_authorities(authorities: &str, bundle: &[u8], now: SystemTime) -> String {
    let current = certificates(authorities).unwrap_or_default();
    let older = unexpired(bundle, now).into_iter().filter(|it| !current.contains(it));
    format!("{authorities}{}", pem_of(&older.collect::<Vec<_>>()))
}

/// The webhook's unexpired authorities in a PEM text, which may contain others.
fn unexpired(text: &[u8], now: SystemTime) -> Vec<CertificateDer<'static>> {
    let blocks = pem::parse_many(text).unwrap_or_default().into_iter();
    let certificates = blocks.map(|block| CertificateDer::from(block.into_contents()));
    let is_unexpired = |it: &CertificateDer<'_>| {
        is_authority(it) && Validity::of(it).is_ok_and(|validity| now <= validity.end)
    };
    certificates.filter(is_unexpired).collect()
}

/// True if it has the name of the webhook's authorities.
fn is_authority(certificate: &[u8]) -> bool {
    let certificate = Certificate::from_der(certificate);
    certificate.is_ok_and(|it| it.tbs_certificate().subject().to_string() == format!("CN={NAME}"))
}

fn pem_of(certificates: &[CertificateDer<'_>]) -> String {
    let blocks = certificates.iter().map(|it| pem::Pem::new("CERTIFICATE", it.to_vec()));
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_many_config(&blocks.collect::<Vec<_>>(), config)
}

fn params(validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(NAME);
    params.not_before = validity.begin.into();
    params.not_after = validity.end.into();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
