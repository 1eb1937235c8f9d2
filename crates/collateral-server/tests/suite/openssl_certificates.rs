//! Certificates that `openssl` makes by the instructions for Intel's PCCS, with this server and
//! client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use collateral::settings::{Serves, ServiceSettings, ServiceUrl, TrustSettings};
use collateral::{CollateralId, PcsSource, Source, SourceError};
use collateral_server::{Mode, ServingCertificate};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::full;
use crate::full::Home;

/// A directory of keys and certificates, `NAME.key` and `NAME.pem`.
struct Certificates {
    directory: TempDir,
}

impl Certificates {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Runs `openssl` in the directory.
    fn openssl(&self, command: &str) {
        let mut openssl = Command::new("openssl");
        let output =
            openssl.args(command.split_whitespace()).current_dir(self.directory.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// `openssl req -x509`: version 3, CA:TRUE.
    fn self_signed(&self, name: &str, further: &str) -> &Self {
        self.openssl(&format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem {further}"
        ));
        self
    }

    /// `openssl x509 -req -signkey`, as in the README of Intel's PCCS: version 1.
    fn version_1(&self, name: &str, common_name: &str, further: &str) -> &Self {
        self.openssl(&format!("genrsa -out {name}.key 2048"));
        self.openssl(&format!("req -new -key {name}.key -out {name}.csr -subj /CN={common_name}"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -signkey {name}.key -out {name}.pem {further}"
        ));
        self
    }

    /// A certificate for a server, issued by `issuer`.
    fn issued(&self, name: &str, issuer: &str, extensions: &str) -> &Self {
        self.openssl(&format!("genrsa -out {name}.key 2048"));
        self.openssl(&format!("req -new -key {name}.key -out {name}.csr -subj /CN=server"));
        let mut further = String::new();
        if !extensions.is_empty() {
            std::fs::write(self.path("extensions"), extensions).unwrap();
            further.push_str(" -extfile extensions");
        }
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial \
             -out {name}.pem{further}"
        ));
        self
    }
}

/// The error of a request by a client that trusts `trusted` to a server with `server`.
async fn asked(certificates: &Certificates, server: &str, trusted: &str) -> SourceError {
    asked_at("localhost", certificates, server, trusted, &[&TLS13, &TLS12]).await
}

async fn asked_at(
    host: &str,
    certificates: &Certificates,
    server: &str,
    trusted: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> SourceError {
    let [certificate, key] =
        ["pem", "key"].map(|ending| certificates.path(&format!("{server}.{ending}")));
    let port = serve(ServingCertificate::read(&certificate, &key).unwrap(), versions).await;
    ask(&format!("https://{host}:{port}"), &certificates.path(&format!("{trusted}.pem"))).await
}

async fn ask(url: &str, trusted: &Path) -> SourceError {
    let mut settings = ServiceSettings::at(ServiceUrl::parse(url).unwrap(), Serves::Everything);
    settings.trust = TrustSettings::CaFile(trusted.to_owned());
    let source = PcsSource::open(settings).unwrap();
    let deadline = Instant::now().checked_add(Duration::from_secs(10)).unwrap();
    spawn_blocking(move || source.fetch(&CollateralId::RootCaCrl, deadline).unwrap_err())
        .await
        .unwrap()
}

/// Serves no items, with this certificate; returns the port.
async fn serve(
    certificate: Arc<dyn ResolvesServerCert>,
    versions: &[&'static SupportedProtocolVersion],
) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_protocol_versions(versions).unwrap().with_no_client_auth();
    let config = Arc::new(config.with_cert_resolver(certificate));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Home::trusting(&full::platform()).open(Mode::Offline, Vec::new()).unwrap();
    tokio::spawn(http_server::serve_tls(listener, config, server.router(), std::future::pending()));
    port
}

#[track_caller]
fn assert_untrusted(error: &SourceError, words: &str) {
    let SourceError::Untrusted(reason) = error else { panic!("{error:?}") };
    assert!(reason.contains(words), "{reason}");
    let is_shown = |c: char| c == ' ' || c.is_ascii_graphic();
    assert!(reason.chars().all(is_shown), "{reason}");
}

#[tokio::test]
async fn a_pinned_certificate_of_any_form_is_accepted() {
    let certificates = Certificates::new();
    certificates
        .self_signed("san", "-subj /CN=PCCS -addext subjectAltName=DNS:localhost,IP:127.0.0.1")
        .self_signed("common_name", "-subj /CN=LocalHost")
        .version_1("version_1", "localhost", "-days 365")
        .version_1("address", "127.0.0.1", "");
    for (host, name) in [
        ("localhost", "san"),
        ("127.0.0.1", "san"),
        ("localhost", "common_name"),
        ("localhost", "version_1"),
        ("127.0.0.1", "address"),
    ] {
        for version in [&TLS13, &TLS12] {
            let error = asked_at(host, &certificates, name, name, &[version]).await;
            assert_eq!(error, SourceError::NotFound, "{name} at {host}, {version:?}");
        }
    }
}

/// The certificates of PCCS's install.sh: a CA, and a certificate for the server that it issues.
#[tokio::test]
async fn a_certificate_of_a_ca_in_the_file_is_accepted() {
    let certificates = Certificates::new();
    certificates
        .self_signed("ca", "-subj /CN=CA -addext keyUsage=critical,keyCertSign,cRLSign")
        .issued("server", "ca", "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE");
    for trusted in ["ca", "server"] {
        let error = asked(&certificates, "server", trusted).await;
        assert_eq!(error, SourceError::NotFound, "{trusted}");
    }
}

#[tokio::test]
async fn certificates_other_than_the_pinned_one_are_rejected_with_the_reason() {
    let certificates = Certificates::new();
    certificates
        .self_signed("old", "-subj /CN=localhost -addext subjectAltName=DNS:localhost")
        .self_signed("new", "-subj /CN=localhost -addext subjectAltName=DNS:localhost")
        .version_1("version_1", "localhost", "")
        .version_1("other_version_1", "localhost", "");
    let error = asked(&certificates, "new", "old").await;
    assert_untrusted(&error, "a CA's certificate (CA:TRUE), which is good for a server only if");
    for trusted in ["old", "other_version_1"] {
        let error = asked(&certificates, "version_1", trusted).await;
        assert_untrusted(&error, "version 1, which is good only if exactly this one");
    }
}

#[tokio::test]
async fn pinned_certificates_need_valid_dates_and_names() {
    let certificates = Certificates::new();
    certificates
        .version_1("expired", "localhost", "-days -1")
        .self_signed(
            "elsewhere",
            "-subj /CN=localhost -addext subjectAltName=DNS:a.test,DNS:b.test",
        )
        .version_1("version_1", "pccs\u{1b}[31m.test", "")
        .self_signed("nameless", "-subj /O=nobody");
    assert_untrusted(&asked(&certificates, "expired", "expired").await, "it expired at 20");
    assert_untrusted(
        &asked(&certificates, "elsewhere", "elsewhere").await,
        r#"it is for "a.test", "b.test", not for localhost; use such a name in the URL"#,
    );
    assert_untrusted(
        &asked(&certificates, "version_1", "version_1").await,
        r#"it is for "pccs\u{1b}[31m.test", not for localhost"#,
    );
    assert_untrusted(&asked(&certificates, "nameless", "nameless").await, "it names no host");
}

#[tokio::test]
async fn invalid_chains_are_rejected_with_the_reason() {
    let certificates = Certificates::new();
    let san = "subjectAltName=DNS:localhost";
    certificates
        .self_signed("ca", "-subj /CN=CA")
        .self_signed("stranger", "-subj /CN=stranger")
        .self_signed("no_ca", "-subj /CN=no_ca -addext basicConstraints=critical,CA:FALSE")
        .version_1("version_1", "old_ca", "")
        .issued("server", "ca", san)
        .issued("of_no_ca", "no_ca", san)
        .issued("of_version_1", "version_1", san)
        .issued("without_extensions", "ca", "")
        .issued("elsewhere", "ca", "subjectAltName=DNS:pccs.test")
        .issued("for_clients", "ca", &format!("{san}\nextendedKeyUsage=clientAuth"));
    for (server, trusted, words) in [
        ("server", "stranger", "neither it nor the CA that issued it is known here; name a file"),
        ("of_no_ca", "no_ca", "its issuer is in the file that ca_file names, but is no CA"),
        ("of_version_1", "version_1", "its issuer is in the file that ca_file names, but is no CA"),
        ("elsewhere", "ca", r#"it is for "pccs.test", not for localhost"#),
        ("for_clients", "ca", "its extended key usage is for something else than servers"),
    ] {
        assert_untrusted(&asked(&certificates, server, trusted).await, words);
    }
    // Older versions of openssl make version 1 where there are no extensions.
    assert_untrusted(&asked(&certificates, "without_extensions", "ca").await, "");
}

/// To copy the certificate does not suffice without its key.
#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    let certificates = Certificates::new();
    certificates
        .version_1("version_1", "localhost", "")
        .self_signed("version_3", "-subj /CN=localhost")
        .self_signed("other", "-subj /CN=o");
    let key = certificates.path("other.key");
    for name in ["version_1", "version_3"] {
        let certificate = certificates.path(&format!("{name}.pem"));
        let error = ServingCertificate::read(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains("belongs to another certificate"), "{error}");
        for version in [&TLS12, &TLS13] {
            let port = serve(Arc::new(Impostor::new(&certificate, &key)), &[version]).await;
            let error = ask(&format!("https://localhost:{port}"), &certificate).await;
            assert_untrusted(&error, "a signature with its key, or of its issuer, is wrong");
        }
    }
}

/// Shows a certificate and signs with the key of another one.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl Impostor {
    fn new(certificate: &Path, key: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Self(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
