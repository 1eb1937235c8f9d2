//! The certificate that is served to the API server, replaceable at run time.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The current certificate. Without one, handshakes fail.
#[derive(Debug, Default)]
pub(crate) struct ServedCertificate(RwLock<Option<Arc<CertifiedKey>>>);

impl ServedCertificate {
    /// Serves this certificate from now on.
    pub(crate) fn show(&self, certificate: Arc<CertifiedKey>) {
        *self.0.write() = Some(certificate);
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().clone()
    }
}

/// A TLS configuration with that certificate.
pub(crate) fn config(serving: Arc<ServedCertificate>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(serving);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
