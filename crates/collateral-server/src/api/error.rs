//! Errors as HTTP responses, with the status codes of a PCCS.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use collateral::SourceError;

use crate::backend::BackendError;
use crate::log_limit::LogLimit;
use crate::platform_store::StoreError;
use crate::rate_limiter::Rate;

/// Limits the log of failures of sources, since any client may cause them.
static UPSTREAM_LOG: LazyLock<LogLimit<()>> = LazyLock::new(|| {
    let rate = Rate { burst: 30, interval: Duration::from_secs(2) };
    LogLimit::new(rate, rate)
});

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// 400: the request is invalid, for this reason.
    Invalid(String),
    /// 401: the token is missing or wrong.
    Unauthorized,
    /// 404: there is no such collateral.
    NotFound,
    /// 409: another platform has registered with this QE id.
    Conflict,
    /// 413: the body is larger than this, in bytes.
    TooLarge(usize),
    /// 429: a rate limit is reached. There is room after this time.
    TooMany(Duration),
    /// 460: uploaded collateral is invalid, for this reason.
    Integrity(String),
    /// 461: there is no such platform.
    UnknownPlatform,
    /// 462: there is no certificate for the platform at this TCB.
    NoCertificate,
    /// 500: this server failed. The reason is for the log.
    Internal(String),
    /// 502: the sources failed. The reason is for the log.
    Upstream(String),
    /// 503: not possible now, for this reason.
    Unavailable(String),
}

impl ApiError {
    pub(crate) fn invalid(text: &str) -> Self {
        Self::Invalid(text.to_owned())
    }

    /// Prefixes the reason of [`Self::Invalid`] with a place in the body.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Invalid(reason) => Self::Invalid(format!("{place}.{reason}")),
            other => other,
        }
    }

    fn status_and_text(self) -> (u16, String) {
        let (status, text) = match self {
            Self::Invalid(reason) => return (400, reason),
            Self::Integrity(reason) => return (460, reason),
            Self::Unavailable(reason) => return (503, reason),
            Self::TooLarge(limit) => return (413, format!("the body has more than {limit} bytes")),
            Self::Unauthorized => (401, "the token is missing or wrong"),
            Self::NotFound => (404, "there is no such collateral here"),
            Self::Conflict => (
                409,
                "another platform is registered with this QE id; an administrator can replace \
                 its PCK certificates with PUT platformcollateral",
            ),
            Self::TooMany(_) => {
                (429, "too many requests for uncached items; retry later, or register the platform")
            }
            Self::UnknownPlatform => (461, "no platform with this QE id is known here"),
            Self::NoCertificate => (
                462,
                "the platform is known here, but there is no PCK certificate for it at this TCB",
            ),
            Self::Internal(_) => (500, "internal error; see the log of this server"),
            Self::Upstream(_) => (502, "cannot fetch collateral; see the log of this server"),
        };
        (status, text.to_owned())
    }
}

impl From<BackendError> for ApiError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Source(error) => error.into(),
            BackendError::Store(error) => Self::Internal(error),
            BackendError::Conflict => Self::Conflict,
        }
    }
}

impl From<SourceError> for ApiError {
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
            failure => Self::Upstream(failure.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(reason) => tracing::error!(%reason, "a request failed"),
            Self::Upstream(reason) => {
                if let Some(left_out) = UPSTREAM_LOG.admit(()) {
                    tracing::error!(%reason, left_out, "cannot fetch collateral");
                }
            }
            Self::Integrity(reason) => tracing::warn!(%reason, "rejected uploaded collateral"),
            _ => {}
        }
        let wait = if let Self::TooMany(wait) = self { Some(wait) } else { None };
        let (status, text) = self.status_and_text();
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

    #[test]
    fn only_failures_of_sources_and_of_this_server_are_5xx() {
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
            let error = BackendError::from(error);
            assert_eq!(ApiError::from(error.clone()).status_and_text().0, expected, "{error:?}");
        }
        let store = StoreError::Damaged { path: "x".into(), reason: "y".to_owned() };
        assert_eq!(ApiError::from(BackendError::from(store)).status_and_text().0, 500);
    }
}
