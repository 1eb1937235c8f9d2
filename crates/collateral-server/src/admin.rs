//! What only some may do: registering platforms, bringing their certificates, refreshing.

mod appraisal_policy;
mod form;
mod platform_collateral;
mod platform_form;
mod platforms;
mod refresh;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post, put};
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::asker::Asker;
use crate::budget::Rate;
use crate::keeper::Keeper;
use crate::log_limit::LogLimit;
use crate::refusal::Refusal;
use crate::router::SGX_V4;
use crate::tokens::{Role, TokenError, Tokens};

/// The largest registration, in bytes: a platform manifest has some tens of thousands.
const MAX_REGISTRATION: usize = 256 * 1024;
/// The largest body with collateral, in bytes: that of some hundred platforms.
const MAX_COLLATERAL: usize = 32 * 1024 * 1024;

/// How often it is logged that an address shows no token or a wrong one.
const REFUSED: Rate = Rate { burst: 5, interval: Duration::from_secs(60) };
/// The same for all addresses together.
const ALL_REFUSED: Rate = Rate { burst: 60, interval: Duration::from_secs(2) };

/// What administration needs. Clones share all of it.
#[derive(Clone)]
pub(crate) struct Admin {
    keeper: Arc<Keeper>,
    api: Api,
    tokens: Arc<RwLock<Tokens>>,
    /// Of requests without the token.
    refused: Arc<LogLimit<Asker>>,
    /// The right to bring collateral: one at a time, since it is large.
    bringing: Arc<Semaphore>,
    /// The right to refresh: one at a time.
    refreshing: Arc<Semaphore>,
}

impl Admin {
    pub(crate) fn new(keeper: Arc<Keeper>, api: Api, tokens: Tokens) -> Self {
        let one = || Arc::new(Semaphore::new(1));
        let refused = Arc::new(LogLimit::new(REFUSED, ALL_REFUSED));
        let (tokens, bringing, refreshing) = (Arc::new(RwLock::new(tokens)), one(), one());
        Self { keeper, api, tokens, refused, bringing, refreshing }
    }

    /// Asks for these tokens from now on, and says whether they are others.
    pub(crate) fn set_tokens(&self, tokens: Tokens) -> bool {
        let mut current = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let are_others = *current != tokens;
        *current = tokens;
        are_others
    }

    /// The routes.
    pub(crate) fn routes(&self) -> Router {
        let routes = Router::new()
            .route("/platforms", post(platforms::register).get(platforms::list))
            .route(
                "/appraisalpolicy",
                put(appraisal_policy::bring).get(appraisal_policy::default_policy),
            )
            .layer(DefaultBodyLimit::max(MAX_REGISTRATION))
            .merge(
                Router::new()
                    .route("/platformcollateral", put(platform_collateral::bring))
                    .layer(DefaultBodyLimit::max(MAX_COLLATERAL)),
            )
            .route("/refresh", get(refresh::refresh).post(refresh::refresh));
        Router::new().nest(SGX_V4, routes.with_state(self.clone()))
    }

    fn check(&self, role: Role, parts: &Parts) -> Result<(), TokenError> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.check(role, &parts.headers)
    }

    /// Checks the token of a request. Who guesses at it does not fill the log.
    async fn authorize(&self, role: Role, parts: &mut Parts) -> Result<(), Refusal> {
        let checked = self.check(role, parts);
        let Err(TokenError { name, problem }) = checked else { return Ok(()) };
        let Ok(peer) = Asker::from_request_parts(parts, self).await;
        if let Some(left_out) = self.refused.admit(peer) {
            tracing::warn!(%peer, token = name, problem, left_out, "a request was refused");
        }
        Err(Refusal::Unauthorized)
    }
}

/// The proof that the request shows the user's token.
struct User;
/// The proof that the request shows the administrator's token.
struct Administrator;

impl FromRequestParts<Admin> for User {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Refusal> {
        admin.authorize(Role::User, parts).await.map(|()| Self)
    }
}

impl FromRequestParts<Admin> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Refusal> {
        admin.authorize(Role::Admin, parts).await.map(|()| Self)
    }
}

/// The body, if it is not larger than this.
async fn body(request: Request, limit: usize) -> Result<Bytes, Refusal> {
    if request.body().size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLarge(limit));
    }
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        status if status == too_large => Refusal::TooLarge(limit),
        _ => Refusal::Invalid(rejection.body_text()),
    })
}
