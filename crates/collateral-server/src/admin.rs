//! Requests that need a token: registration, uploads, refreshes.

mod appraisal_policy;
mod form;
mod platform_collateral;
mod platform_form;
mod platforms;
mod refresh;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post, put};
use parking_lot::RwLock;
use tokio::sync::Semaphore;

use crate::api::{Api, ApiError};
use crate::backend::Backend;
use crate::client::Client;
use crate::log_limit::LogLimit;
use crate::rate_limiter::Rate;
use crate::router::SGX_V4;
use crate::tokens::{Role, TokenError, Tokens};

/// Maximum size of a registration in bytes. A platform manifest has some tens of thousands.
const MAX_REGISTRATION: usize = 256 * 1024;
/// Maximum size of an upload of collateral in bytes: enough for some hundred platforms.
const MAX_COLLATERAL: usize = 32 * 1024 * 1024;

/// Rate of log lines about missing or wrong tokens, for one address.
const REFUSED: Rate = Rate { burst: 5, interval: Duration::from_secs(60) };
/// The same, for all addresses together.
const ALL_REFUSED: Rate = Rate { burst: 60, interval: Duration::from_secs(2) };

/// The state of administration. Clones share it.
#[derive(Clone)]
pub(crate) struct Admin {
    backend: Arc<Backend>,
    api: Api,
    tokens: Arc<RwLock<Tokens>>,
    /// Limits the log of requests without the token.
    refused: Arc<LogLimit<Client>>,
    /// Permits one upload at a time, since uploads are large.
    uploading: Arc<Semaphore>,
    /// Permits one refresh at a time.
    refreshing: Arc<Semaphore>,
}

impl Admin {
    pub(crate) fn new(backend: Arc<Backend>, api: Api, tokens: Tokens) -> Self {
        let one = || Arc::new(Semaphore::new(1));
        let refused = Arc::new(LogLimit::new(REFUSED, ALL_REFUSED));
        let (tokens, uploading, refreshing) = (Arc::new(RwLock::new(tokens)), one(), one());
        Self { backend, api, tokens, refused, uploading, refreshing }
    }

    /// Replaces the tokens; returns `true` if they differ.
    pub(crate) fn set_tokens(&self, tokens: Tokens) -> bool {
        let mut current = self.tokens.write();
        let differ = *current != tokens;
        *current = tokens;
        differ
    }

    pub(crate) fn routes(&self) -> Router {
        let routes = Router::new()
            .route("/platforms", post(platforms::register).get(platforms::list))
            .route(
                "/appraisalpolicy",
                put(appraisal_policy::upload).get(appraisal_policy::default_policy),
            )
            .layer(DefaultBodyLimit::max(MAX_REGISTRATION))
            .merge(
                Router::new()
                    .route("/platformcollateral", put(platform_collateral::upload))
                    .layer(DefaultBodyLimit::max(MAX_COLLATERAL)),
            )
            .route("/refresh", get(refresh::refresh).post(refresh::refresh));
        Router::new().nest(SGX_V4, routes.with_state(self.clone()))
    }

    fn check(&self, role: Role, parts: &Parts) -> Result<(), TokenError> {
        let tokens = self.tokens.read();
        tokens.check(role, &parts.headers)
    }

    /// Checks the token of a request, and logs failures at a limited rate.
    async fn authorize(&self, role: Role, parts: &mut Parts) -> Result<(), ApiError> {
        let checked = self.check(role, parts);
        let Err(TokenError { name, problem }) = checked else { return Ok(()) };
        let Ok(peer) = Client::from_request_parts(parts, self).await;
        if let Some(left_out) = self.refused.admit(peer) {
            tracing::warn!(%peer, token = name, problem, left_out, "rejected a request without the token");
        }
        Err(ApiError::Unauthorized)
    }
}

/// Proof that the request has the user token.
struct User;
/// Proof that the request has the admin token.
struct Administrator;

impl FromRequestParts<Admin> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, ApiError> {
        admin.authorize(Role::User, parts).await.map(|()| Self)
    }
}

impl FromRequestParts<Admin> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, ApiError> {
        admin.authorize(Role::Admin, parts).await.map(|()| Self)
    }
}

/// Reads the body, up to this limit in bytes.
async fn body(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    if request.body().size_hint().lower() > limit as u64 {
        return Err(ApiError::TooLarge(limit));
    }
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        status if status == too_large => ApiError::TooLarge(limit),
        _ => ApiError::Invalid(rejection.body_text()),
    })
}
