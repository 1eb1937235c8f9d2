//! HTTP client with limits on time, size and redirects.

mod authorities;
mod certificate_problem;
mod certificate_verifier;
mod proxy;
mod tls_connector;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use ureq::config::Config;
use ureq::http::{HeaderMap, Response};
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, Body, Error};

use self::tls_connector::TlsConnector;
use super::SourceError;
use crate::settings::TrustSettings;

/// Maximum size of a response, in bytes. CRLs are the largest, with up to about 100,000.
const MAX_RESPONSE: u64 = 4 * 1024 * 1024;
/// The largest header, in bytes: a certificate chain has about 3,500 when it is URL-encoded.
const MAX_HEADER: usize = 64 * 1024;

/// A source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificates in {path}: {reason}; give certificates in PEM")]
pub struct SourceOpenError {
    /// The file.
    pub path: PathBuf,
    /// The problem with it.
    pub reason: String,
}

/// An HTTP client that reuses its connections.
pub(super) struct Http {
    agent: Agent,
}

pub(super) struct HttpResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// A client; `direct` ignores the proxies of the environment.
    ///
    /// # Errors
    /// [`SourceOpenError`] when the file of trusted certificates cannot be read.
    pub(super) fn new(trust: &TrustSettings, direct: bool) -> Result<Self, SourceOpenError> {
        Ok(match trust {
            TrustSettings::System => Self::trusting_system(direct),
            TrustSettings::CaFile(path) => {
                let trusted = authorities::of_file(path)?;
                Self::trusting(move || trusted, direct)
            }
            TrustSettings::Unchecked => Self { agent: config(direct).into() },
        })
    }

    /// A client that trusts the certificates of the system.
    pub(super) fn trusting_system(direct: bool) -> Self {
        Self::trusting(authorities::of_system, direct)
    }

    fn trusting(
        trusted: impl FnOnce() -> Vec<CertificateDer<'static>> + Send + 'static,
        direct: bool,
    ) -> Self {
        let connector = ()
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector::new(Arc::new(aws_lc_rs::default_provider()), trusted));
        Self { agent: Agent::with_parts(config(direct), connector, DefaultResolver::default()) }
    }

    /// Sends a GET request, which ends by the deadline.
    pub(super) fn get(
        &self,
        url: &str,
        headers: &[(String, String)],
        deadline: Instant,
    ) -> Result<HttpResponse, SourceError> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(left(deadline))).build();
        HttpResponse::read(request.call())
    }

    /// Sends a POST request with this JSON, which ends by the deadline.
    pub(super) fn post_json(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: &[u8],
        deadline: Instant,
    ) -> Result<HttpResponse, SourceError> {
        let mut request = self.agent.post(url).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(left(deadline))).build();
        HttpResponse::read(request.send(json))
    }
}

/// The time until the deadline; not zero, which would mean unlimited.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

impl HttpResponse {
    fn read(response: Result<Response<Body>, Error>) -> Result<Self, SourceError> {
        let mut response = response.map_err(|error| problem(&error))?;
        let body = response.body_mut().with_config().limit(MAX_RESPONSE).read_to_vec();
        let body = body.map_err(|error| problem(&error))?;
        let (parts, _) = response.into_parts();
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// The value of a header, if it is there and text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The settings of all clients. Those of TLS are for a client that checks no certificate; others
/// have a connector of their own.
fn config(direct: bool) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .disable_verification(true);
    Agent::config_builder()
        .http_status_as_error(false)
        // No other host may get the API key.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(MAX_HEADER)
        .user_agent(concat!("sgx-quote-helper/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .proxy(if direct { None } else { proxy::of_environment() })
        .build()
}

fn problem(error: &Error) -> SourceError {
    match error {
        Error::Timeout(_) => SourceError::Timeout,
        Error::HostNotFound => SourceError::Unreachable("its name is not known".to_owned()),
        Error::Io(error) => io_problem(error),
        Error::Rustls(error) => tls_problem(error),
        Error::BodyExceedsLimit(limit) => {
            SourceError::Malformed(format!("it has more than {limit} bytes"))
        }
        Error::LargeResponseHeader(_, limit) => {
            SourceError::Malformed(format!("its header has more than {limit} bytes"))
        }
        // The URL has parameters, a token among them perhaps.
        Error::BadUri(_) => SourceError::Unreachable("its URL cannot be used".to_owned()),
        Error::Protocol(_) => SourceError::Malformed(
            "it is not HTTP; check the port in the URL of the source".to_owned(),
        ),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => SourceError::Unreachable(
            "the proxy cannot be used; check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY".to_owned(),
        ),
        other => SourceError::Unreachable(other.to_string()),
    }
}

fn io_problem(error: &io::Error) -> SourceError {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return tls_problem(error);
    }
    match error.kind() {
        ErrorKind::TimedOut => SourceError::Timeout,
        ErrorKind::UnexpectedEof => SourceError::Malformed("it ended before its end".to_owned()),
        _ => SourceError::Unreachable(error.to_string()),
    }
}

fn tls_problem(error: &rustls::Error) -> SourceError {
    match error {
        rustls::Error::InvalidCertificate(error) => {
            SourceError::Untrusted(certificate_problem::describe(error))
        }
        rustls::Error::InvalidMessage(_) => SourceError::Unreachable(
            "it speaks no TLS; write http:// in its URL if that is meant".to_owned(),
        ),
        other => SourceError::Unreachable(format!("TLS: {other}")),
    }
}
