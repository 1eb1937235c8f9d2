//! There is no answer: the statuses, those of a PCCS.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use collateral::SourceError;

/// There is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the request is wrong, in these words.
    Invalid(String),
    /// 401: the token is missing or wrong.
    Unauthorized,
    /// 404: there is no such collateral.
    NotFound,
    /// 413: the body is larger than this, in bytes.
    TooLarge(usize),
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

    fn parts(self) -> (u16, String) {
        let text = |text: &str| text.to_owned();
        match self {
            Self::Invalid(reason) => (400, reason),
            Self::Unauthorized => (401, text("the token is missing or wrong")),
            Self::NotFound => (404, text("there is no such collateral here")),
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
            trouble => Self::Upstream(trouble.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(trouble) => tracing::error!(%trouble, "a request failed"),
            // The cause goes to the log and not to the client.
            Self::Upstream(trouble) => tracing::error!(%trouble, "collateral is not to be had"),
            Self::Integrity(reason) => tracing::warn!(%reason, "collateral was refused"),
            _ => {}
        }
        let (status, text) = self.parts();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, text).into_response()
    }
}
