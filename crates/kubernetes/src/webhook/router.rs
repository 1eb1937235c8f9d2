//! The webhook's HTTP routes.
//!
//! A review takes a slot once it has arrived, and runs on a blocking thread. Large reviews have
//! their own slot, so that small ones never wait for them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_server::Index;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::debug;

use super::body::{BodyBudgets, BodyError, ReceivedBody};
use super::limits::{LARGE_AT_A_TIME, Limits, SMALL_AT_A_TIME};
use super::metrics::{Metrics, ReviewOutcome};
use super::review::{EncodedResponse, ReviewError, respond};
use crate::injection::Settings;

/// The path of the webhook.
pub const PATH: &str = "/mutate";

/// The page at `/`.
const INDEX: Index = Index {
    title: "quote-helper webhook: admission reviews",
    paths: &[("POST /mutate", "injects into pods; for the API server")],
};

const JSON: &str = "application/json";
/// The timeouts for a review to arrive and to get a slot: longer than the API server waits.
const TIMEOUT: Duration = Duration::from_secs(5);

struct Webhook {
    settings: Settings,
    metrics: Metrics,
    limits: Limits,
    bodies: BodyBudgets,
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// An HTTP error.
struct ErrorResponse(StatusCode, String);

/// Serves reviews at [`PATH`].
pub(crate) fn router(settings: Settings, metrics: Metrics, limits: Limits) -> Router {
    let webhook = Webhook {
        settings,
        metrics,
        limits,
        bodies: BodyBudgets::new(limits),
        small: Arc::new(Semaphore::new(SMALL_AT_A_TIME)),
        large: Arc::new(Semaphore::new(LARGE_AT_A_TIME)),
    };
    INDEX.on(Router::new().route(PATH, post(mutate))).with_state(Arc::new(webhook))
}

async fn mutate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    match webhook.respond(request).await {
        Ok(EncodedResponse { review, is_patched }) => {
            webhook.metrics.reviewed(match is_patched {
                true => ReviewOutcome::Patched,
                false => ReviewOutcome::Unchanged,
            });
            ([(CONTENT_TYPE, JSON)], review).into_response()
        }
        Err(ErrorResponse(status, problem)) => {
            debug!("a review is answered with {status}: {problem}");
            webhook.metrics.reviewed(ReviewOutcome::Refused);
            (status, format!("{problem}\n")).into_response()
        }
    }
}

impl Webhook {
    async fn respond(self: &Arc<Self>, request: Request) -> Result<EncodedResponse, ErrorResponse> {
        if !is_json(request.headers()) {
            let problem = format!("a review is of the type {JSON}");
            return Err(ErrorResponse(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
        }
        let body = timeout(TIMEOUT, self.bodies.receive(request.into_body())).await;
        let body = body.map_err(|_| {
            let problem = format!("the review has not arrived within {TIMEOUT:?}");
            ErrorResponse(StatusCode::REQUEST_TIMEOUT, problem)
        })??;
        self.review(body).await
    }

    /// Responds to a review once there is a slot.
    async fn review(
        self: &Arc<Self>,
        body: ReceivedBody,
    ) -> Result<EncodedResponse, ErrorResponse> {
        let slots = if body.is_large { &self.large } else { &self.small };
        let slot = timeout(TIMEOUT, Arc::clone(slots).acquire_owned()).await;
        let Ok(Ok(slot)) = slot else {
            let problem = "too many reviews wait; send it again later".to_owned();
            return Err(ErrorResponse(StatusCode::TOO_MANY_REQUESTS, problem));
        };
        let webhook = Arc::clone(self);
        let work = spawn_blocking(move || {
            // Held while the memory is in use, even if the client has gone.
            let _slot = slot;
            respond(&body.bytes, &webhook.settings, webhook.limits.review)
        });
        let answered = work.await.map_err(|error| {
            ErrorResponse(StatusCode::INTERNAL_SERVER_ERROR, format!("the review failed: {error}"))
        })?;
        Ok(answered?)
    }
}

impl From<BodyError> for ErrorResponse {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Evicted => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken(_) => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<ReviewError> for ErrorResponse {
    fn from(error: ReviewError) -> Self {
        let status = match error {
            ReviewError::Pod(_) | ReviewError::ResponseTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

/// True for JSON in any character set.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(JSON))
}
