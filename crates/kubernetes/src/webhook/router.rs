//! The webhook's HTTP side.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::debug;

use super::metrics::{Metrics, Outcome};
use super::review::{MAX_SIZE, ReviewError, answer};
use crate::injection::Settings;

/// The path of the webhook.
pub const PATH: &str = "/mutate";

const JSON: &str = "application/json";
/// How many reviews may be on their way at a time: what they take together is in memory.
const MAX_REVIEWS: usize = 16;
/// How long a review may take to arrive, and to be among them.
const TIMEOUT: Duration = Duration::from_secs(5);

struct Webhook {
    settings: Settings,
    metrics: Metrics,
    slots: Semaphore,
}

/// Answers reviews at [`PATH`].
pub(crate) fn router(settings: Settings, metrics: Metrics) -> Router {
    let webhook = Webhook { settings, metrics, slots: Semaphore::new(MAX_REVIEWS) };
    Router::new()
        .route(PATH, post(mutate))
        .layer(DefaultBodyLimit::max(MAX_SIZE))
        .with_state(Arc::new(webhook))
}

async fn mutate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let answered = timeout(TIMEOUT, webhook.answer(request)).await;
    answered.unwrap_or_else(|_| {
        let problem = format!("the review has not arrived within {TIMEOUT:?}");
        webhook.refuse(StatusCode::REQUEST_TIMEOUT, &problem)
    })
}

impl Webhook {
    async fn answer(&self, request: Request) -> Response {
        if !is_json(request.headers()) {
            let problem = format!("a review is of the type {JSON}");
            return self.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &problem);
        }
        let Ok(_slot) = self.slots.acquire().await else {
            return self.refuse(StatusCode::TOO_MANY_REQUESTS, "no further reviews are taken");
        };
        let body = match Bytes::from_request(request, &()).await {
            Ok(body) => body,
            Err(rejection) => return self.refuse(rejection.status(), &rejection.body_text()),
        };
        match answer(&body, &self.settings) {
            Ok(answer) => {
                let patched = answer.is_patched;
                self.metrics.reviewed(if patched { Outcome::Patched } else { Outcome::Unchanged });
                let body = serde_json::to_vec(&answer.review).unwrap_or_default();
                ([(CONTENT_TYPE, JSON)], body).into_response()
            }
            Err(error @ ReviewError::TooLarge) => {
                self.refuse(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string())
            }
            Err(error) => self.refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    fn refuse(&self, status: StatusCode, problem: &str) -> Response {
        debug!("a review is answered with {status}: {problem}");
        self.metrics.reviewed(Outcome::Refused);
        (status, format!("{problem}\n")).into_response()
    }
}

/// Whether the content is JSON, in whatever character set it is said to be.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(JSON))
}
