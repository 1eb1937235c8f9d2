//! An admission review.

use std::borrow::Cow;

use json_patch::Patch;
use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::warn;

use super::limits::MAX_RESPONSE;
use crate::injection::{PatchAndWarnings, ReadError, Settings, patch_json};

const KIND: &str = "AdmissionReview";
const VERSION: &str = "admission.k8s.io/v1";
/// The maximum length of a warning in characters, and their maximum number: the API server cuts the
/// rest.
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 8;

/// The response to a review.
#[derive(Debug)]
pub(crate) struct EncodedResponse {
    /// In JSON.
    pub(crate) review: Vec<u8>,
    /// True if settings were injected.
    pub(crate) is_patched: bool,
}

/// A review without a response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReviewError {
    #[error("this is not an {KIND} of {VERSION}: {0}")]
    NotAReview(#[from] serde_json::Error),
    #[error(
        "this webhook reads an {KIND} of {VERSION}, and this is {kind:?} of {version:?}; the \
         webhook's admissionReviewVersions must be [v1]"
    )]
    AnotherKind { kind: String, version: String },
    #[error("the review has no request with a uid")]
    NoRequest,
    #[error("the review's object is not a JSON object")]
    NoObject,
    #[error(transparent)]
    Pod(ReadError),
    #[error("the response would have more than {MAX_RESPONSE} bytes")]
    ResponseTooLarge,
}

/// The fields that are read; others, such as the user's groups, are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedReview<'a> {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(borrow)]
    request: Option<AdmissionRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionRequest<'a> {
    uid: String,
    kind: GroupVersionKind<'a>,
    sub_resource: Option<String>,
    operation: String,
    /// Parsed only if it is a pod.
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct GroupVersionKind<'a> {
    #[serde(borrow)]
    group: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// The response in the API server's format.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewResponse {
    api_version: &'static str,
    kind: &'static str,
    response: AdmissionResponse,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionResponse {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<ByteString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Responds to a review: every object is allowed, and created pods get their settings. The pod is
/// parsed in at most `memory` bytes.
pub(crate) fn respond(
    body: &[u8],
    settings: &Settings,
    memory: usize,
) -> Result<EncodedResponse, ReviewError> {
    let request = read(body)?;
    let (patch, warnings) = injected(&request, settings, memory)?;
    let patch = (!patch.is_empty()).then(|| serde_json::to_vec(&patch)).transpose()?;
    let is_patched = patch.is_some();
    let response = AdmissionResponse {
        uid: request.uid,
        allowed: true,
        patch: patch.map(ByteString),
        patch_type: is_patched.then_some("JSONPatch"),
        warnings: shortened(warnings),
    };
    let review = ReviewResponse { api_version: VERSION, kind: KIND, response };
    let review = serde_json::to_vec(&review)?;
    match review.len() > MAX_RESPONSE {
        true => Err(ReviewError::ResponseTooLarge),
        false => Ok(EncodedResponse { review, is_patched }),
    }
}

fn read(body: &[u8]) -> Result<AdmissionRequest<'_>, ReviewError> {
    let ReceivedReview { api_version: version, kind, request } = serde_json::from_slice(body)?;
    if kind != KIND || version != VERSION {
        let [kind, version] = [kind, version].map(|text| text.chars().take(MAX_WARNING).collect());
        return Err(ReviewError::AnotherKind { kind, version });
    }
    let request =
        request.filter(|request| !request.uid.is_empty()).ok_or(ReviewError::NoRequest)?;
    match request.object.is_none_or(|object| object.get().starts_with('{')) {
        true => Ok(request),
        false => Err(ReviewError::NoObject),
    }
}

/// The injection into a created pod; empty for other reviews.
fn injected(
    request: &AdmissionRequest<'_>,
    settings: &Settings,
    memory: usize,
) -> Result<PatchAndWarnings, ReviewError> {
    let nothing = (Patch::default(), Vec::new());
    let Some(pod) = created_pod(request) else { return Ok(nothing) };
    match patch_json(pod.get(), settings, memory) {
        Ok(injected) => Ok(injected),
        Err(ReadError::NotAPod(error)) => {
            warn!("cannot parse a pod, nothing is injected: {error}");
            Ok(nothing)
        }
        Err(error) => Err(ReviewError::Pod(error)),
    }
}

fn created_pod<'a>(request: &AdmissionRequest<'a>) -> Option<&'a RawValue> {
    let GroupVersionKind { group, version, kind } = &request.kind;
    let is_pod = (&**group, &**version, &**kind) == ("", "v1", "Pod");
    let is_part = request.sub_resource.as_ref().is_some_and(|it| !it.is_empty());
    request.object.filter(|_| is_pod && !is_part && request.operation == "CREATE")
}

/// Cuts warnings to the API server's limits.
fn shortened(mut warnings: Vec<String>) -> Vec<String> {
    warnings.truncate(MAX_WARNINGS);
    for warning in &mut warnings {
        if warning.chars().count() > MAX_WARNING {
            let kept = warning.chars().take(MAX_WARNING.saturating_sub(1));
            *warning = kept.chain(['…']).collect();
        }
    }
    warnings
}
