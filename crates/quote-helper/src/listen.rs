//! The addresses that a service listens at.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context;
use rustix::io::Errno;
use tokio::net::TcpListener;
use tracing::info;

/// Listens at the address; `what` is served there, for the log.
pub(crate) async fn listen(address: SocketAddr, what: &'static str) -> anyhow::Result<TcpListener> {
    let listener = match TcpListener::bind(address).await {
        Err(error) if is_all_addresses_without_ipv6(address, &error) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        result => result,
    };
    let listener = listener.with_context(|| format!("cannot serve {what} at {address}"))?;
    info!(address = %listener.local_addr()?, "serving {what}");
    Ok(listener)
}

/// Whether `[::]`, which is IPv4's addresses too, is refused because the kernel knows nothing of IPv6.
fn is_all_addresses_without_ipv6(address: SocketAddr, error: &io::Error) -> bool {
    address.ip() == Ipv6Addr::UNSPECIFIED && Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

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
