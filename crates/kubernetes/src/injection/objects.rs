//! Injection into objects that contain pods, as people write them.

mod fields;
mod misplaced;
mod path;
mod places;
mod strings;

use json_patch::PatchError;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::{Settings, container, patch};
use places::PodLocation;

/// A failed injection into an object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object, or its template, is not a pod.
    #[error("its pod cannot be read: {0}")]
    Read(#[source] serde_saphyr::Error),
    /// The pod cannot be serialized.
    #[error("its pod cannot be written: {0}")]
    Write(#[source] serde_json::Error),
    /// The patch does not fit the object.
    #[error("its pod cannot be changed: {0}")]
    Change(#[source] PatchError),
}

/// Returns a scalar's text in its file by JSON pointer, such as `0440`, which is parsed as 288;
/// `None` if unknown.
pub type SourceText<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Injects into the object's pods, and returns the warnings.
///
/// Pods are found in the built-in kinds, in lists of these, and in fields of custom resources that
/// look like pod templates. Unknown fields and objects without pods are not touched; a warning
/// names EPC outside of pods.
///
/// In pods with EPC, numbers and booleans become strings where the API server requires strings.
///
/// # Errors
/// [`ObjectError`] if a pod is invalid. Some of the object's pods may be changed then.
pub fn inject_object(
    object: &mut Value,
    settings: &Settings,
    written: SourceText<'_>,
) -> Result<Vec<String>, ObjectError> {
    let places = places::find(object);
    let mut warnings = misplaced::warnings(object, &places);
    for place in &places {
        let Some(template) = object.pointer_mut(&place.pointer) else { continue };
        let of_pod = match inject_template(template, place, settings, written) {
            Err(ObjectError::Read(error)) if !place.is_known => {
                vec![format!("{} is not a readable pod template: {error}", place.path())]
            }
            other => other?,
        };
        warnings.extend(of_pod.into_iter().map(|warning| format!("{}{warning}", place.owner)));
    }
    Ok(warnings)
}

fn inject_template(
    template: &mut Value,
    place: &PodLocation,
    settings: &Settings,
    written: SourceText<'_>,
) -> Result<Vec<String>, ObjectError> {
    let pod = read(template).map_err(ObjectError::Read)?;
    let has_epc = pod.spec.iter().flat_map(container::all).any(container::has_epc);
    let mut warnings = fields::misspelled(template);
    if has_epc {
        let at = |below: &str| written(&format!("{}{below}", place.pointer));
        warnings.extend(strings::write(template, &at));
        warnings.extend((!place.is_known).then(|| {
            let path = place.path();
            format!("{path} was taken for a pod template: the kind is unknown")
        }));
    }
    let has_metadata = template.get("metadata").is_some_and(|metadata| !metadata.is_null());
    let (patch, of_pod) = patch(pod, has_metadata, settings).map_err(ObjectError::Write)?;
    json_patch::patch(template, &patch).map_err(ObjectError::Change)?;
    warnings.extend(of_pod);
    Ok(warnings)
}

/// Parses the pod as YAML, for which a number is a valid quantity. Fields that are null count as
/// missing.
fn read(template: &Value) -> Result<Pod, serde_saphyr::Error> {
    let mut template = template.clone();
    remove_nulls(&mut template);
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(&template.to_string(), options)
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
