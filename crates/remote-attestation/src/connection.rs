//! The TCP connection to the peer.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, anyhow};
use remote_attestation::Channel;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::arguments::Role;
use crate::wait::{Wait, retry};

/// Connects to the peer or waits for it, until this timeout.
pub(crate) fn open(role: Role, patience: Duration) -> anyhow::Result<Channel> {
    let stream = match role {
        Role::Listen(address) => accept(address, patience),
        Role::Connect(address) => connect(address, patience),
    }?;
    Ok(Channel::new(stream, patience))
}

fn accept(address: SocketAddr, patience: Duration) -> anyhow::Result<TcpStream> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))?;
    set_socket_timeout(&listener, Timeout::Recv, Some(patience))?;
    let _wait = Wait::begin(format!("a connection to {address}"), patience);
    match listener.accept() {
        Ok((stream, _)) => Ok(stream),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(anyhow!("nobody connected to {address} within {patience:?}"))
        }
        Err(error) => Err(error).with_context(|| format!("cannot accept at {address}")),
    }
}

fn connect(address: SocketAddr, patience: Duration) -> anyhow::Result<TcpStream> {
    let subject = format!("a connection to the peer at {address}");
    retry(subject, patience, || TcpStream::connect_timeout(&address, patience), |_| true)
        .with_context(|| format!("cannot connect to {address} within {patience:?}"))
}
