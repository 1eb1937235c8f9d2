//! Bodies of requests: JSON in the form of a PCCS. Unknown fields are ignored, as a PCCS does.

use std::fmt;

use serde::Deserialize;

use crate::api::ApiError;
use crate::platform_name::PlatformName;
use crate::platform_store::PlatformKey;

/// The largest platform manifest, in bytes: what a PCCS can keep in its database.
const MAX_MANIFEST: usize = 65_535;

/// Parses JSON. The error names the field, such as `collaterals.tcbinfos[3].fmspc`.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!(" in {path}") };
        ApiError::Invalid(format!("the body cannot be used{place}: {}", error.into_inner()))
    })?;
    let end = json.end();
    end.map_err(|error| ApiError::Invalid(format!("the body has more than one value: {error}")))?;
    Ok(parsed)
}

/// `N` bytes, as twice as many hexadecimal digits.
pub(super) fn fixed<const N: usize>(
    name: impl fmt::Display,
    digits: &str,
) -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    let wrong = |_| {
        let count = N.saturating_mul(2);
        ApiError::Invalid(format!("{name} must have {count} hexadecimal digits"))
    };
    hex::decode_to_slice(digits, &mut bytes).map_err(wrong)?;
    Ok(bytes)
}

/// The same, where an empty text counts as missing.
pub(super) fn optional<const N: usize>(
    name: &str,
    digits: Option<&str>,
) -> Result<Option<[u8; N]>, ApiError> {
    digits.filter(|digits| !digits.is_empty()).map(|digits| fixed(name, digits)).transpose()
}

/// The name in a field `qe_id`.
pub(super) fn platform_name(qe_id: &str) -> Result<PlatformName, ApiError> {
    PlatformName::parse(qe_id).map_err(|error| ApiError::Invalid(format!("qe_id {error}")))
}

/// The platform with this `qe_id` and `pce_id`.
pub(super) fn platform_key(qe_id: &str, pce_id: &str) -> Result<PlatformKey, ApiError> {
    Ok(PlatformKey { qe_id: platform_name(qe_id)?.qe_id(), pce_id: fixed("pce_id", pce_id)? })
}

/// The bytes of `platform_manifest`; empty if there is none.
pub(super) fn manifest(digits: Option<&str>) -> Result<Vec<u8>, ApiError> {
    let manifest = hex::decode(digits.unwrap_or_default())
        .map_err(|_| ApiError::invalid("platform_manifest must have hexadecimal digits"))?;
    if manifest.len() > MAX_MANIFEST {
        let problem = format!("platform_manifest has more than {MAX_MANIFEST} bytes");
        return Err(ApiError::Invalid(problem));
    }
    Ok(manifest)
}
