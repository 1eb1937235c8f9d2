//! Asks a service for its metrics, and whether it is ready.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
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

/// The time for an answer. Longer than a canary quote takes where quotes take long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer: hundreds of times the metrics of a busy service.
const MAX_ANSWER_SIZE: usize = 16 * 1024 * 1024;
/// Characters that are shown of why a service is not ready.
const MAX_REASON_LENGTH: usize = 300;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

/// Where a service serves its metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The address, or a host's name, and the port.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// What a service says of itself at one moment.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) at: Instant,
    pub(super) samples: Samples,
    pub(super) readiness: Readiness,
}

/// Whether a service can make quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// Why not.
    NotReady(String),
    /// It does not tell: a service of an older version.
    Unknown,
}

impl Endpoint {
    /// Asks for both at once.
    pub(super) async fn ask(&self) -> anyhow::Result<Answer> {
        let (metrics, ready) = tokio::join!(self.get("/metrics"), self.get("/readyz"));
        let at = Instant::now();
        let (status, text) = metrics.map_err(|error| {
            anyhow!(
                "nobody answers at {self}: {error}. Start the service with `quote-helper serve --metrics-listen {self}`, or \
                 say with --metrics where its metrics are"
            )
        })?;
        ensure!(status == StatusCode::OK, "there are no metrics at {self}: it answers {status}");
        let samples = Samples::parse(&text)
            .with_context(|| format!("the metrics at {self} cannot be read"))?;
        let is_ours = samples.named("quote_helper_service_info").next().is_some();
        ensure!(is_ours, "what serves metrics at {self} is no quote service");
        Ok(Answer { at, samples, readiness: Readiness::of(ready) })
    }

    /// The status and the body of what is at this path.
    async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let answer = async {
            match self {
                Self::Tcp(address) => get(TcpStream::connect(address).await?, address, path).await,
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
        Ok((status, String::from_utf8(body.into()).context("the answer is no text")?))
    });
    tokio::select! {
        answer = &mut answer => answer,
        // It has brought the whole answer before it ended, or the answer is an error.
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
        match text.rsplit_once(':') {
            Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok() => {
                Ok(Self::Tcp(text.to_owned()))
            }
            _ => bail!(
                "it is neither ADDRESS:PORT nor the path of a Unix socket, /PATH or unix:PATH"
            ),
        }
    }
}

fn is_host(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    !text.is_empty() && text.chars().all(is_part)
}

/// Who listens at all addresses is asked at one of them.
impl From<ListenAddress> for Endpoint {
    fn from(address: ListenAddress) -> Self {
        match address {
            ListenAddress::Tcp(address) if address.ip().is_unspecified() => {
                Self::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())).to_string())
            }
            ListenAddress::Tcp(address) => Self::Tcp(address.to_string()),
            ListenAddress::Unix(socket) => Self::Unix(socket),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
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
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), endpoint);
        }
        for text in
            ["", "17490", ":17490", "localhost", "a:99999", "http://a:17490", "::1:17490", "a b:1"]
        {
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
