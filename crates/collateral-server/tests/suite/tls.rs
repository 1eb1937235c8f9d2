//! TLS, with the client of the crate `collateral`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use collateral::settings::{Serves, ServiceSettings, ServiceUrl, TrustSettings};
use collateral::{CollateralId, PcsKind, PcsSource, Source, SourceError};
use collateral_server::{Mode, ServingCertificate};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::full;
use crate::full::Home;

/// Writes a certificate for `localhost` and its key.
fn certify(directory: &Path) -> String {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("certificate.pem"), certified.cert.pem()).unwrap();
    fs::write(directory.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    certified.cert.pem()
}

/// The error of a request by a client that trusts this certificate.
async fn asked(port: u16, directory: &Path, trusted: &str) -> SourceError {
    let authorities = directory.join("trusted.pem");
    fs::write(&authorities, trusted).unwrap();
    let source = PcsSource::open(ServiceSettings {
        kind: PcsKind::Pccs,
        url: ServiceUrl::parse(&format!("https://localhost:{port}")).unwrap(),
        serves: Serves::Everything,
        trust: TrustSettings::CaFile(authorities),
        api_key_file: None,
        headers: Vec::new(),
        parameters: Vec::new(),
    });
    let source = source.unwrap();
    let deadline = Instant::now().checked_add(Duration::from_secs(10)).unwrap();
    spawn_blocking(move || source.fetch(&CollateralId::RootCaCrl, deadline).unwrap_err())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_certificate_is_served_without_a_restart() {
    let platform = full::platform();
    let home = Home::trusting(&platform);
    let old = certify(home.path());
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| home.path().join(name));
    let serving = ServingCertificate::read(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = home.open(Mode::Offline, Vec::new()).unwrap();
    let config = Arc::new(serving.config().unwrap());
    tokio::spawn(http_server::serve_tls(listener, config, server.router(), std::future::pending()));
    assert_eq!(asked(port, home.path(), &old).await, SourceError::NotFound);
    assert!(!serving.reload_if_modified().unwrap());
    let new = certify(home.path());
    later(&certificate);
    assert!(serving.reload_if_modified().unwrap());
    assert_eq!(asked(port, home.path(), &new).await, SourceError::NotFound);
    assert!(matches!(asked(port, home.path(), &old).await, SourceError::Untrusted(_)));
    // A key that does not belong to it changes nothing.
    fs::write(&key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    later(&key);
    let error = serving.reload_if_modified().unwrap_err().to_string();
    assert!(error.contains("certificate.pem") && error.contains("key.pem"), "{error}");
    assert_eq!(asked(port, home.path(), &new).await, SourceError::NotFound);
}

/// Sets a later time: a file system may record two writes with the same time.
fn later(path: &Path) {
    let time = SystemTime::now().checked_add(Duration::from_secs(5)).unwrap();
    fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn unusable_certificates_are_named() {
    let directory = tempfile::tempdir().unwrap();
    certify(directory.path());
    let path = |name: &str| directory.path().join(name);
    fs::write(path("text"), "no PEM").unwrap();
    for (certificate, key, named) in [
        ("none", "key.pem", "none"),
        ("certificate.pem", "none", "none"),
        ("text", "key.pem", "text"),
        ("key.pem", "key.pem", "key.pem"),
        ("certificate.pem", "text", "text"),
    ] {
        let error = ServingCertificate::read(&path(certificate), &path(key)).unwrap_err();
        assert!(error.to_string().contains(&path(named).display().to_string()), "{error}");
    }
}

/// A peer with incomplete handshakes does not lock out others.
#[tokio::test]
async fn incomplete_handshakes_do_not_block_clients() {
    let platform = full::platform();
    let home = Home::trusting(&platform);
    let trusted = certify(home.path());
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| home.path().join(name));
    let serving = ServingCertificate::read(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = home.open(Mode::Offline, Vec::new()).unwrap();
    let config = Arc::new(serving.config().unwrap());
    tokio::spawn(http_server::serve_tls(listener, config, server.router(), std::future::pending()));
    let mut held = Vec::new();
    for _ in 0..1000 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let Ok(stream) = timeout(Duration::from_secs(1), socket.connect(address)).await else {
            break;
        };
        let stream = stream.unwrap();
        // The record of a ClientHello, without its end.
        let _ = stream.try_write(&[0x16, 3, 1, 1, 0, 1]);
        held.push(stream);
    }
    let asked = timeout(Duration::from_secs(2), asked(address.port(), home.path(), &trusted));
    assert_eq!(asked.await, Ok(SourceError::NotFound));
    assert_eq!(held.len(), 1000);
}
