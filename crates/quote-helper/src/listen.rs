//! The addresses that a service listens at.

mod inherited;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use axum::Router;
use rustix::io::Errno;
use serde::Deserialize;
use tokio::net::TcpListener;

pub(crate) use inherited::Listeners;

/// The address of an HTTP server: a TCP address, or the path of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum ListenAddress {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Text that is not a [`ListenAddress`].
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is neither ADDRESS:PORT nor the path of a Unix socket, /PATH or unix:PATH")]
pub(crate) struct NoListenAddress(String);

impl ListenAddress {
    /// Serves the router here until `shutdown` is ready, in a task; `what` is served, for the log.
    pub(crate) async fn serve(
        &self,
        what: &'static str,
        router: Router,
        listeners: &mut Listeners,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        match self {
            Self::Tcp(address) => {
                let listener = listeners.tcp(*address, what).await?;
                tokio::spawn(http_server::serve(listener, router, shutdown));
            }
            Self::Unix(path) => {
                let (bound, listener) = listeners.unix(path, what)?;
                tokio::spawn(async move {
                    http_server::serve(listener, router, shutdown).await;
                    drop(bound);
                });
            }
        }
        Ok(())
    }
}

impl FromStr for ListenAddress {
    type Err = NoListenAddress;

    fn from_str(text: &str) -> Result<Self, NoListenAddress> {
        let path = text.strip_prefix("unix:").or(text.starts_with('/').then_some(text));
        match path {
            Some("") => Err(NoListenAddress(text.to_owned())),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| NoListenAddress(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = NoListenAddress;

    fn try_from(text: String) -> Result<Self, NoListenAddress> {
        text.parse()
    }
}

/// Listens at the address; `what` is served there, for the log.
pub(crate) async fn listen(address: SocketAddr, what: &'static str) -> anyhow::Result<TcpListener> {
    Listeners::default().tcp(address, what).await
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if is_all_addresses_without_ipv6(address, &error) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        result => result,
    }
}

/// True if `[::]`, which includes IPv4, is refused because the kernel has no IPv6.
fn is_all_addresses_without_ipv6(address: SocketAddr, error: &io::Error) -> bool {
    address.ip() == Ipv6Addr::UNSPECIFIED && Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_path_can_be_listened_at() {
        let unix = |path: &str| ListenAddress::Unix(path.into());
        for (text, address) in [
            ("127.0.0.1:17490", ListenAddress::Tcp(([127, 0, 0, 1], 17490).into())),
            ("[::]:17490", ListenAddress::Tcp((Ipv6Addr::UNSPECIFIED, 17490).into())),
            ("/run/metrics.socket", unix("/run/metrics.socket")),
            ("unix:/run/metrics.socket", unix("/run/metrics.socket")),
            ("unix:metrics.socket", unix("metrics.socket")),
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap(), address, "{text}");
        }
        for text in ["", "17490", "localhost:17490", "metrics.socket", "unix:"] {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains("neither ADDRESS:PORT nor"), "{error}");
        }
    }

    #[test]
    fn ipv4_does_for_all_addresses_alone() {
        let unsupported = io::Error::from(Errno::AFNOSUPPORT);
        let in_use = io::Error::from(Errno::ADDRINUSE);
        for (address, error, does) in [
            ("[::]:80", &unsupported, true),
            ("[::]:80", &in_use, false),
            ("[::1]:80", &unsupported, false),
            ("0.0.0.0:80", &unsupported, false),
        ] {
            let is = is_all_addresses_without_ipv6(address.parse().unwrap(), error);
            assert_eq!(is, does, "{address}");
        }
    }
}
