//! The endpoint of a service's metrics and readiness.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::samples::Samples;
use crate::listen::ListenAddress;

/// The timeout of a request: longer than a slow canary quote takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum size of an answer, in bytes: hundreds of times the metrics of a busy service.
const MAX_ANSWER_SIZE: usize = 16 * 1024 * 1024;
/// The maximum length of the reason why a service is not ready, in characters.
const MAX_REASON_LENGTH: usize = 300;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp {
        /// The IP address or host name, and the port.
        address: String,
        /// The prefix of its paths: empty, unless a proxy adds one.
        prefix: String,
    },
    Unix(PathBuf),
}

/// The metrics and readiness of a service at one moment.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) at: Instant,
    pub(super) samples: Samples,
    pub(super) readiness: Readiness,
}

/// The readiness of a service to make quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    NotReady(String),
    /// An older version, which does not tell.
    Unknown,
}

impl Endpoint {
    /// Requests both at the same time.
    pub(super) async fn scrape(&self) -> anyhow::Result<Scrape> {
        let (metrics, ready) = tokio::join!(self.get("/metrics"), self.get("/readyz"));
        let at = Instant::now();
        let (status, text) = metrics.map_err(|error| {
            anyhow!(
                "no answer from {self}: {error}. Start the service with `quote-helper serve \
                 --metrics-listen {self}`, or pass the address of its metrics with --metrics"
            )
        })?;
        ensure!(
            status == StatusCode::OK,
            "{self} is not the metrics endpoint of a quote service: it answers {status}; pass the \
             address of --metrics-listen of `serve` with --metrics"
        );
        let samples = Samples::parse(&text).with_context(|| {
            format!("{self} is not a metrics endpoint: its answer cannot be parsed")
        })?;
        let is_ours = samples.named("quote_helper_service_info").next().is_some();
        ensure!(
            is_ours,
            "{self} serves metrics, but not those of a quote service (there is no \
             quote_helper_service_info); pass the address of --metrics-listen of `serve` with \
             --metrics"
        );
        Ok(Scrape { at, samples, readiness: Readiness::of(ready) })
    }

    /// Requests this path; returns the status and the body.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let answer = async {
            match self {
                Self::Tcp { address, prefix } => {
                    get(TcpStream::connect(address).await?, address, &format!("{prefix}{path}"))
                        .await
                }
                Self::Unix(socket) => {
                    get(UnixStream::connect(socket).await?, "localhost", path).await
                }
            }
        };
        let seconds = ANSWER_TIMEOUT.as_secs();
        let late = |_| anyhow!("there is no answer within {seconds} s");
        timeout(ANSWER_TIMEOUT, answer).await.map_err(late).flatten()
    }
}

async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    path: &str,
) -> anyhow::Result<(StatusCode, String)> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path).header(HOST, host).header(ACCEPT, OPEN_METRICS);
    let request = request.body(Empty::<Bytes>::new())?;
    let mut answer = pin!(async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_SIZE).collect().await;
        let body = body.map_err(anyhow::Error::from_boxed)?.to_bytes();
        Ok((status, String::from_utf8(body.into()).context("the answer is not UTF-8")?))
    });
    tokio::select! {
        answer = &mut answer => answer,
        // The connection has ended: the answer is complete, or an error.
        _ = connection => answer.await,
    }
}

impl Readiness {
    fn of(answer: anyhow::Result<(StatusCode, String)>) -> Self {
        match answer {
            Ok((StatusCode::OK, _)) => Self::Ready,
            Ok((StatusCode::NOT_FOUND, _)) => Self::Unknown,
            Ok((_, reason)) if !reason.trim().is_empty() => {
                let lines: Vec<_> = reason.lines().map(str::trim).collect();
                Self::NotReady(lines.join(" ").trim().chars().take(MAX_REASON_LENGTH).collect())
            }
            Ok((status, _)) => Self::NotReady(format!("it answers {status}")),
            Err(error) => Self::NotReady(error.root_cause().to_string()),
        }
    }
}

impl FromStr for Endpoint {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<ListenAddress>() {
            return Ok(address.into());
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Self::of_url(scheme, rest);
        }
        match text.rsplit_once(':') {
            Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok() => {
                Ok(Self::tcp(&text))
            }
            _ => bail!(
                "expected http://HOST:PORT, ADDRESS:PORT, or the path of a Unix socket, \
                 /PATH or unix:PATH"
            ),
        }
    }
}

impl Endpoint {
    fn tcp(address: &impl ToString) -> Self {
        Self::Tcp { address: address.to_string(), prefix: String::new() }
    }

    /// Parses the URL of the server or of its metrics.
    fn of_url(scheme: &str, rest: &str) -> anyhow::Result<Self> {
        ensure!(scheme == "http", "the metrics of a quote service use http://, not {scheme}://");
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address = match address.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::from((ip, 80)).to_string(),
            Err(_) if is_host(address) => format!("{address}:80"),
            Err(_) => address.to_owned(),
        };
        let endpoint: Self = address.parse()?;
        let path = path.trim_end_matches('/');
        let prefix = path.strip_suffix("metrics").unwrap_or(path).trim_end_matches('/');
        let is_plain = prefix.chars().all(|it| it.is_ascii_alphanumeric() || "-._~/%".contains(it));
        ensure!(is_plain, "the path of the URL has invalid characters");
        Ok(match endpoint {
            Self::Tcp { address, .. } if !prefix.is_empty() => {
                Self::Tcp { address, prefix: format!("/{prefix}") }
            }
            endpoint => endpoint,
        })
    }
}

fn is_host(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    !text.is_empty() && text.chars().all(is_part)
}

/// A server that listens at all addresses is reached at the loopback address.
impl From<ListenAddress> for Endpoint {
    fn from(address: ListenAddress) -> Self {
        match address {
            ListenAddress::Tcp(address) if address.ip().is_unspecified() => {
                Self::tcp(&SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())))
            }
            ListenAddress::Tcp(address) => Self::tcp(&address),
            ListenAddress::Unix(socket) => Self::Unix(socket),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, prefix } => write!(f, "{address}{prefix}"),
            Self::Unix(socket) => write!(f, "{}", socket.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_or_a_path() {
        for (text, endpoint) in [
            ("127.0.0.1:17490", "127.0.0.1:17490"),
            ("0.0.0.0:17490", "127.0.0.1:17490"),
            ("[::]:17490", "127.0.0.1:17490"),
            ("[::1]:17490", "[::1]:17490"),
            ("localhost:17490", "localhost:17490"),
            ("/run/metrics.socket", "/run/metrics.socket"),
            ("unix:metrics.socket", "metrics.socket"),
            ("http://localhost:9464", "localhost:9464"),
            ("http://localhost:9464/", "localhost:9464"),
            ("http://localhost:9464/metrics", "localhost:9464"),
            ("http://[::1]:9464/metrics/", "[::1]:9464"),
            ("http://a/node-1/metrics", "a:80/node-1"),
            ("http://10.0.0.1", "10.0.0.1:80"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), endpoint);
        }
        for text in [
            "",
            "17490",
            ":17490",
            "localhost",
            "a:99999",
            "https://a:1",
            "::1:17490",
            "a b:1",
            "http://",
            "http://a/\r",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_service_is_ready_or_not_or_does_not_tell() {
        let of = |status, text: &str| Readiness::of(Ok((status, text.to_owned())));
        let not = |reason: &str| Readiness::NotReady(reason.to_owned());
        assert_eq!(of(StatusCode::OK, ""), Readiness::Ready);
        assert_eq!(of(StatusCode::NOT_FOUND, ""), Readiness::Unknown);
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(of(unavailable, "no\n  worker\n"), not("no worker"));
        assert_eq!(of(unavailable, " \n"), not("it answers 503 Service Unavailable"));
        assert_eq!(of(unavailable, &"é".repeat(9999)), not(&"é".repeat(300)));
        let error = anyhow!("the end").context("cannot ask");
        assert_eq!(Readiness::of(Err(error)), not("the end"));
    }
}
