//! One admission review.

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
/// How long a warning may be, in characters, and how many there may be: the API server cuts what is beyond.
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 8;

/// The answer to a review.
#[derive(Debug)]
pub(crate) struct EncodedResponse {
    /// In JSON.
    pub(crate) review: Vec<u8>,
    /// Whether something was injected.
    pub(crate) is_patched: bool,
}

/// Why a review gets no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReviewError {
    #[error("this is no {KIND} of {VERSION}: {0}")]
    NotAReview(#[from] serde_json::Error),
    #[error(
        "this webhook reads an {KIND} of {VERSION}, and this is {kind:?} of {version:?}; the webhook's \
         admissionReviewVersions must be [v1]"
    )]
    AnotherKind { kind: String, version: String },
    #[error("the review has no request with a uid")]
    NoRequest,
    #[error("the review's object is no object of Kubernetes")]
    NoObject,
    #[error(transparent)]
    Pod(ReadError),
    #[error("the answer would have more than {MAX_RESPONSE} bytes")]
    ResponseTooLarge,
}

/// What is read of a review. The rest, such as the user's groups, is skipped.
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
    /// Read only if it is a pod.
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

/// An answer as the API server reads it.
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

/// Answers a review: every object is allowed, and a pod that is created gets what it needs. The pod takes no
/// more memory than this many bytes.
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

/// What is injected into the pod that is created, if the review is of one.
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
            warn!("a pod is not understood and gets nothing injected: {error}");
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

/// As the API server shows them.
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
