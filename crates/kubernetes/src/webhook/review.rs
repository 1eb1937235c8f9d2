//! One admission review.

use json_patch::Patch;
use k8s_openapi::api::core::v1::Pod;
use kube::core::DynamicObject;
use kube::core::admission::{
    AdmissionRequest, AdmissionResponse, AdmissionReview, META_API_VERSION_V1, META_KIND, Operation,
};
use tracing::warn;

use crate::injection::{Settings, patch};

/// The largest review, in bytes: the API server takes no larger requests itself.
pub(crate) const MAX_SIZE: usize = 3 << 20;
/// JSON objects in a review: more than any pod has. An empty one, of two bytes, may take thousands of them in
/// memory.
const MAX_OBJECTS: usize = 20_000;
/// How long a warning may be, in characters, and how many there may be: the API server cuts what is beyond.
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 8;

/// The answer to a review.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) review: AdmissionReview<DynamicObject>,
    /// Whether something was injected.
    pub(crate) is_patched: bool,
}

/// Why a review gets no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReviewError {
    #[error("the review has more than {MAX_OBJECTS} JSON objects")]
    TooLarge,
    #[error("this is no AdmissionReview of {META_API_VERSION_V1}: {0}")]
    NotAReview(#[from] serde_json::Error),
    #[error(
        "this webhook reads an {META_KIND} of {META_API_VERSION_V1}, and this is {kind:?} of {version:?}; \
         the webhook's admissionReviewVersions must be [v1]"
    )]
    AnotherKind { kind: String, version: String },
    #[error("the review has no request with a uid")]
    NoRequest,
}

/// Answers a review: every object is allowed, and a pod that is created gets what it needs.
pub(crate) fn answer(body: &[u8], settings: &Settings) -> Result<Answer, ReviewError> {
    let request = read(body)?;
    let response = AdmissionResponse::from(&request);
    let (patch, warnings) = pod(request).map_or_else(Default::default, |pod| {
        // A pod that was read can be written.
        patch(pod, settings).unwrap_or_default()
    });
    let is_patched = !patch.is_empty();
    let mut response = if is_patched { with(response, patch) } else { response };
    response.warnings = (!warnings.is_empty()).then(|| shortened(warnings));
    Ok(Answer { review: response.into_review(), is_patched })
}

fn read(body: &[u8]) -> Result<AdmissionRequest<DynamicObject>, ReviewError> {
    if body.iter().filter(|byte| **byte == b'{').count() > MAX_OBJECTS {
        return Err(ReviewError::TooLarge);
    }
    let review: AdmissionReview<DynamicObject> = serde_json::from_slice(body)?;
    let (kind, version) = (&review.types.kind, &review.types.api_version);
    if kind != META_KIND || version != META_API_VERSION_V1 {
        let [kind, version] = [kind, version].map(|text| text.chars().take(MAX_WARNING).collect());
        return Err(ReviewError::AnotherKind { kind, version });
    }
    let request = review.try_into().map_err(|_| ReviewError::NoRequest);
    request.and_then(|request: AdmissionRequest<_>| match request.uid.is_empty() {
        true => Err(ReviewError::NoRequest),
        false => Ok(request),
    })
}

/// The pod that is created, if it is one.
fn pod(request: AdmissionRequest<DynamicObject>) -> Option<Pod> {
    let kind = &request.kind;
    let is_pod = (&*kind.group, &*kind.version, &*kind.kind) == ("", "v1", "Pod");
    let is_part = request.sub_resource.is_some_and(|it| !it.is_empty());
    if !is_pod || is_part || request.operation != Operation::Create {
        return None;
    }
    match request.object?.try_parse() {
        Ok(pod) => Some(pod),
        Err(error) => {
            warn!("a pod is not understood and gets nothing injected: {error}");
            None
        }
    }
}

fn with(response: AdmissionResponse, patch: Patch) -> AdmissionResponse {
    let unpatched = response.clone();
    // A patch of JSON can be written as JSON.
    response.with_patch(patch).unwrap_or(unpatched)
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
