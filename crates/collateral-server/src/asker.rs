//! The peer of a request, as far as a server without accounts can know it.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use http_server::Peer;

/// The peer that a request comes from; `None` if nobody has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asker(Option<Peer>);

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().copied()))
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Peer::Network(address)) => write!(f, "{address}"),
            Some(Peer::User(uid)) => write!(f, "uid {uid}"),
            None => f.write_str("unknown"),
        }
    }
}
