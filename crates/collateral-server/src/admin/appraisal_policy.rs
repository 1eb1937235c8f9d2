//! `appraisalpolicy`: default policies of Intel's quote appraisal library, stored for verifiers.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA384, digest};
use axum::extract::{Query, Request, State};
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::form::{fixed, parse};
use super::{Admin, Administrator, MAX_REGISTRATION, body};
use crate::api::{ApiError, blocking};

/// The part of a JWT, with padding or without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The classes of policies for SGX, TDX 1.0 and TDX 1.5 that Intel's PCCS accepts.
const CLASSES: [&str; 3] = [
    "3123ec35-8d38-4ea5-87a5-d6c48b567570",
    "9eec018b-7481-4b1c-8e1a-9f7c0c8c777f",
    "f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3",
];

#[derive(Deserialize)]
struct PolicyForm {
    is_default: bool,
    fmspc: String,
    policy: String,
}

/// The claims of the JWT.
#[derive(Deserialize)]
struct Claims {
    /// JSON.
    policy_payload: String,
}

#[derive(Deserialize)]
struct Payload {
    policy_array: Vec<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    environment: Environment,
}

#[derive(Deserialize)]
struct Environment {
    class_id: String,
}

#[derive(Deserialize)]
pub(super) struct PolicyQuery {
    fmspc: String,
}

/// Stores a default policy, and returns its id: its SHA-384 in hexadecimal. Other policies cannot
/// be requested, so they are only checked.
pub(super) async fn upload(
    _: Administrator,
    State(admin): State<Admin>,
    request: Request,
) -> Result<String, ApiError> {
    let body = body(request, MAX_REGISTRATION).await?;
    let form: PolicyForm = parse(&body)?;
    let fmspc = fixed("fmspc", &form.fmspc)?;
    check(&form.policy)?;
    let id = hex::encode(digest(&SHA384, form.policy.as_bytes()));
    let backend = Arc::clone(&admin.backend);
    blocking(move || match form.is_default {
        true => Ok(backend.store().set_default_policy(fmspc, &form.policy)?),
        false => Ok(backend.store().unset_default_policy(fmspc, &form.policy)?),
    })
    .await?;
    Ok(id)
}

/// The default policy of an FMSPC; needs no token.
pub(super) async fn default_policy(
    State(admin): State<Admin>,
    Query(query): Query<PolicyQuery>,
) -> Result<String, ApiError> {
    let fmspc = fixed("fmspc", &query.fmspc)?;
    let backend = Arc::clone(&admin.backend);
    let policy = blocking(move || Ok(backend.store().default_policy(fmspc)?)).await?;
    policy.ok_or(ApiError::NotFound)
}

/// Checks that the text is a JWT with a policy for SGX or TDX. Verifiers check its signature, since
/// they know the signer to trust.
fn check(jwt: &str) -> Result<(), ApiError> {
    let wrong = |reason: &str| ApiError::Invalid(format!("policy {reason}"));
    let claims = jwt.split('.').nth(1).ok_or_else(|| wrong("is no JWT: it has no dot"))?;
    let claims = BASE64URL.decode(claims.trim_ascii());
    let claims = claims.map_err(|_| wrong("is no JWT: its payload is not base64url"))?;
    let claims: Claims = serde_json::from_slice(&claims)
        .map_err(|error| wrong(&format!("has no policy_payload: {error}")))?;
    let payload: Payload = serde_json::from_str(&claims.policy_payload)
        .map_err(|error| wrong(&format!("has a policy_payload that cannot be used: {error}")))?;
    let is_known = |policy: &Policy| {
        CLASSES.iter().any(|class| policy.environment.class_id.eq_ignore_ascii_case(class))
    };
    match payload.policy_array.iter().any(is_known) {
        true => Ok(()),
        false => Err(wrong("has no class_id of a policy for SGX or TDX")),
    }
}
