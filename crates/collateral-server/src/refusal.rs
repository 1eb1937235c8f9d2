//! There is no answer: the statuses, those of a PCCS.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use collateral::SourceError;

use crate::budget::Rate;
use crate::log_limit::LogLimit;
use crate::platform_store::StoreError;

/// Failures of sources, of which anybody who asks may cause one.
static UPSTREAM_LOG: LazyLock<LogLimit<()>> = LazyLock::new(|| {
    let rate = Rate { burst: 30, interval: Duration::from_secs(2) };
    LogLimit::new(rate, rate)
});

/// There is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the request is wrong, in these words.
    Invalid(String),
    /// 401: the token is missing or wrong.
    Unauthorized,
    /// 404: there is no such collateral.
    NotFound,
    /// 409: another platform has registered with this QE id.
    Conflict,
    /// 413: the body is larger than this, in bytes.
    TooLarge(usize),
    /// 429: this peer, or all together, ask for too much that is not kept. There is room after this time.
    TooMany(Duration),
    /// 460: what was brought does not hold, in these words.
    Integrity(String),
    /// 461: there is no such platform.
    UnknownPlatform,
    /// 462: there is no certificate for the platform at this TCB.
    NoCertificate,
    /// 500: this went wrong here. It is for the log.
    Internal(String),
    /// 502: this went wrong at the sources. It is for the log.
    Upstream(String),
    /// 503: it cannot be done now, in these words.
    Unavailable(String),
}

impl Refusal {
    pub(crate) fn invalid(text: &str) -> Self {
        Self::Invalid(text.to_owned())
    }

    /// The same refusal, of something at this place in the body.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Invalid(reason) => Self::Invalid(format!("{place}.{reason}")),
            other => other,
        }
    }

    fn parts(self) -> (u16, String) {
        let text = |text: &str| text.to_owned();
        match self {
            Self::Invalid(reason) => (400, reason),
            Self::Unauthorized => (401, text("the token is missing or wrong")),
            Self::NotFound => (404, text("there is no such collateral here")),
            Self::Conflict => (
                409,
                text(
                    "the PCK certificates that are kept for this QE id are of another platform; an administrator can \
                     bring others with PUT platformcollateral",
                ),
            ),
            Self::TooMany(_) => (
                429,
                text("too much is asked for that is not kept; ask later, or register the platform"),
            ),
            Self::TooLarge(limit) => (413, format!("the body has more than {limit} bytes")),
            Self::Integrity(reason) => (460, reason),
            Self::UnknownPlatform => (461, text("no platform with this QE id is known here")),
            Self::NoCertificate => (
                462,
                text(
                    "the platform is known here, but there is no PCK certificate for it at this TCB",
                ),
            ),
            Self::Internal(_) => (500, text("something went wrong; the log here says what")),
            Self::Upstream(_) => {
                (502, text("the collateral is not to be had; the log here says why"))
            }
            Self::Unavailable(reason) => (503, reason),
        }
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::NotFound | SourceError::NotOffered(_) => Self::NotFound,
            SourceError::UnknownPlatform => Self::UnknownPlatform,
            SourceError::NoCertificate => Self::NoCertificate,
            SourceError::Status(400) => Self::invalid(
                "a source refuses the parameters of this request (status 400); check the FMSPC, \
                 the encrypted PPID or the platform manifest",
            ),
            SourceError::Busy { status: 429, retry_after: Some(wait) } => Self::TooMany(wait),
            trouble => Self::Upstream(trouble.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(trouble) => tracing::error!(%trouble, "a request failed"),
            // The cause goes to the log and not to the client, who may ask as often as it likes.
            Self::Upstream(trouble) => {
                if let Some(left_out) = UPSTREAM_LOG.admit(()) {
                    tracing::error!(%trouble, left_out, "cannot fetch collateral");
                }
            }
            Self::Integrity(reason) => tracing::warn!(%reason, "collateral was refused"),
            _ => {}
        }
        let wait = if let Self::TooMany(wait) = self { Some(wait) } else { None };
        let (status, text) = self.parts();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, text).into_response();
        if let Some(wait) = wait {
            let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what goes wrong at the sources, or here, is 5xx.
    #[test]
    fn each_failure_of_a_source_has_its_status() {
        let busy = |status, retry_after| SourceError::Busy { status, retry_after };
        for (error, expected) in [
            (SourceError::NotFound, 404),
            (SourceError::NotOffered("x"), 404),
            (SourceError::UnknownPlatform, 461),
            (SourceError::NoCertificate, 462),
            (SourceError::Status(400), 400),
            (busy(429, Some(Duration::from_secs(1))), 429),
            (busy(503, None), 502),
            (SourceError::Denied(401), 502),
            (SourceError::Redirect(302), 502),
            (SourceError::Status(500), 502),
            (SourceError::Unreachable("x".to_owned()), 502),
            (SourceError::Timeout, 502),
            (SourceError::Malformed("x".to_owned()), 502),
        ] {
            assert_eq!(Refusal::from(error.clone()).parts().0, expected, "{error:?}");
        }
    }
}
