//! The client of a request, identified by its address or uid.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use http_server::Peer;

/// The peer that sent a request; `None` if the server does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(Option<Peer>);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().copied()))
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Peer::Network(address)) => write!(f, "{address}"),
            Some(Peer::User(uid)) => write!(f, "uid {uid}"),
            None => f.write_str("unknown"),
        }
    }
}
