//! The addresses that a service listens at.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tracing::info;

/// Listens at the address; `what` is served there, for the log.
pub(crate) async fn listen(address: SocketAddr, what: &'static str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot serve {what} at {address}"))?;
    info!(address = %listener.local_addr()?, "serving {what}");
    Ok(listener)
}
