//! Decides whether a server's TLS certificate is trusted.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use super::certificate_problem::Unusable;

/// Trusts a server's certificate that is itself, byte for byte, one of the trusted certificates
/// ("pinned"), or that a CA among them has issued.
///
/// A pinned certificate may be what the `openssl` commands of Intel's PCCS make: a CA's own
/// (CA:TRUE) or X.509 version 1. It has to be valid at the time and for the host, by its
/// subjectAltName, or by its common name if that is all it has, as for curl with OpenSSL. A
/// certificate that a CA has issued needs version 3 and a subjectAltName. A trusted certificate is
/// a CA if it says so: version 3 with CA:TRUE.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    trusted: Vec<CertificateDer<'static>>,
    /// `None`: there is no CA among the trusted certificates.
    chains: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl CertificateVerifier {
    /// A verifier that trusts these certificates.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let is_ca = |der: &&CertificateDer<'_>| parse(der).is_ok_and(|parsed| is_ca(&parsed));
        roots.add_parsable_certificates(trusted.iter().filter(is_ca).cloned());
        let chains =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        Self {
            trusted,
            chains: chains.build().ok(),
            algorithms: provider.signature_verification_algorithms,
        }
    }

    /// Checks that a CA among the trusted certificates has issued it, for this host.
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chains) = &self.chains else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        chains.verify_server_cert(end_entity, intermediates, host, &[], now)
    }

    /// The reason for which no chain to a CA makes this certificate good, if there is one.
    fn unusable(&self, certificate: &Certificate) -> Option<Unusable> {
        let tbs = certificate.tbs_certificate();
        if is_ca(certificate) {
            return Some(Unusable::CaAsServer);
        }
        if tbs.version() == Version::V1 {
            return Some(Unusable::Version1);
        }
        if tbs.subject() == tbs.issuer() {
            return None;
        }
        let trusted = self.trusted.iter().filter_map(|der| parse(der).ok());
        let issuers: Vec<_> =
            trusted.filter(|trusted| trusted.tbs_certificate().subject() == tbs.issuer()).collect();
        let are_no_cas = !issuers.is_empty() && !issuers.iter().any(is_ca);
        are_no_cas.then_some(Unusable::IssuerIsNoCa)
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = parse(end_entity)?;
        if self.trusted.contains(end_entity) {
            check_validity(&certificate, now)?;
            check_name(end_entity, &certificate, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.verify_chain(end_entity, intermediates, server_name, now).map_err(|error| {
            if let Some(unusable) = self.unusable(&certificate) {
                return CertificateError::Other(OtherError(Arc::new(unusable))).into();
            }
            match error {
                Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }) => {
                    not_valid_for(server_name, &certificate)
                }
                other => other,
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        end_entity: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if parse(end_entity)?.tbs_certificate().version() == Version::V1 {
            // rustls reads no version 1. All that this leaves out is RSA with PKCS#1 padding.
            return self.verify_tls13_signature(message, end_entity, signature);
        }
        verify_tls12_signature(message, end_entity, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        end_entity: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = parse(end_entity)?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der();
        let key = SubjectPublicKeyInfoDer::from(key.map_err(|_| CertificateError::BadEncoding)?);
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn parse(der: &CertificateDer<'_>) -> Result<Certificate, CertificateError> {
    Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)
}

fn is_ca(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
    matches!(constraints, Ok(Some((_, BasicConstraints { ca: true, .. }))))
}

fn check_validity(certificate: &Certificate, now: UnixTime) -> Result<(), CertificateError> {
    let validity = certificate.tbs_certificate().validity();
    let [not_before, not_after] = [validity.not_before, validity.not_after]
        .map(|time| UnixTime::since_unix_epoch(time.to_unix_duration()));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before });
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after });
    }
    Ok(())
}

/// Checks the host by the certificate's subjectAltName; by its common name if no host is there.
fn check_name(
    end_entity: &CertificateDer<'_>,
    certificate: &Certificate,
    host: &ServerName<'_>,
) -> Result<(), Error> {
    let is_valid = if alternative_names(certificate).is_empty() {
        let common_name = common_name(certificate);
        common_name.is_some_and(|name| name.eq_ignore_ascii_case(&host.to_str()))
    } else {
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, host).is_ok()
    };
    if is_valid { Ok(()) } else { Err(not_valid_for(host, certificate)) }
}

fn not_valid_for(host: &ServerName<'_>, certificate: &Certificate) -> Error {
    let mut presented = alternative_names(certificate);
    if presented.is_empty() {
        presented.extend(common_name(certificate));
    }
    CertificateError::NotValidForNameContext { expected: host.to_owned(), presented }.into()
}

/// The hosts and IP addresses of the subjectAltName.
fn alternative_names(certificate: &Certificate) -> Vec<String> {
    let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = names else {
        return Vec::new();
    };
    let host = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => ip_address(bytes.as_bytes()),
        _ => None,
    };
    names.iter().filter_map(host).collect()
}

/// The IP address of 4 or 16 bytes, in network order.
fn ip_address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()?;
    Some(address.to_string())
}

fn common_name(certificate: &Certificate) -> Option<String> {
    let name = certificate.tbs_certificate().subject().common_name().ok()??;
    Some(name.value().into_owned())
}
