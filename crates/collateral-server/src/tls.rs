//! The TLS certificate, which can be reloaded while the server runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fmt, fs, io};

use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use zeroize::Zeroizing;

/// Maximum size of a PEM file in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// A certificate and its key, in two files in PEM.
pub struct ServingCertificate {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    modified: Mutex<Modified>,
}

type Modified = [Option<SystemTime>; 2];

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// A file is invalid.
    #[error("cannot use {path} for TLS: {reason}")]
    Form {
        /// The file.
        path: PathBuf,
        /// The error in it.
        reason: String,
    },
}

impl ServingCertificate {
    /// Reads the certificate, with its chain, and its key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let modified = modified(certificate, key);
        let current = certified(certificate, key)?;
        Ok(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: RwLock::new(Arc::new(current)),
            modified: Mutex::new(modified),
        }))
    }

    /// Reloads the files if they were modified; returns `true` for another certificate. An invalid
    /// file is an error once, until it is modified again.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate stays in use.
    pub fn reload_if_modified(&self) -> Result<bool, TlsError> {
        let now = modified(&self.certificate, &self.key);
        // `reload` takes this lock, too.
        let is_modified = *self.modified.lock() != now;
        if is_modified { self.reload() } else { Ok(false) }
    }

    /// Reloads the files; returns `true` for another certificate.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        *self.modified.lock() = modified(&self.certificate, &self.key);
        let new = Arc::new(certified(&self.certificate, &self.key)?);
        let mut current = self.current.write();
        let is_another = current.cert != new.cert;
        *current = new;
        Ok(is_another)
    }

    /// A TLS configuration that follows reloads.
    ///
    /// # Errors
    /// That of rustls, when it supports no version of TLS.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

impl fmt::Debug for ServingCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServingCertificate").field("certificate", &self.certificate).finish()
    }
}

fn modified(certificate: &Path, key: &Path) -> Modified {
    [certificate, key].map(|path| fs::metadata(path).ok()?.modified().ok())
}

fn certified(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let read = |path: &Path| {
        untrusted_input::read(path, MAX_FILE)
            .map_err(|reason| TlsError::Read { path: path.to_owned(), reason })
    };
    let wrong = |path: &Path, reason: String| TlsError::Form { path: path.to_owned(), reason };
    let pem = read(certificate)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(certificate, "invalid PEM".to_owned()))?;
    let Some(leaf) = chain.first() else {
        return Err(wrong(certificate, "no certificate in PEM".to_owned()));
    };
    let private = PrivateKeyDer::from_pem_slice(&Zeroizing::new(read(key)?))
        .map_err(|_| wrong(key, "no private key in PEM".to_owned()))?;
    let private = aws_lc_rs::sign::any_supported_type(&private)
        .map_err(|_| wrong(key, "not a supported RSA, ECDSA or Ed25519 key".to_owned()))?;
    if !belongs_to(leaf, private.as_ref()) {
        let reason = format!("the key in {} belongs to another certificate", key.display());
        return Err(wrong(certificate, reason));
    }
    Ok(CertifiedKey::new(chain, private))
}

/// Tells if the certificate has this public key. The check of rustls rejects certificates of
/// version 1, which Intel's instructions for its PCCS create.
fn belongs_to(certificate: &CertificateDer<'_>, key: &dyn SigningKey) -> bool {
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return false;
    };
    let certified = certificate.tbs_certificate().subject_public_key_info().to_der();
    let public = key.public_key();
    public.zip(certified.ok()).is_some_and(|(public, certified)| *public == *certified)
}
