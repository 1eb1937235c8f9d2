//! Objects that have pods in them, as people write them.

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

/// Why nothing was injected into an object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object, or its template, is no pod.
    #[error("its pod cannot be read: {0}")]
    Read(#[source] serde_saphyr::Error),
    /// A pod cannot be written.
    #[error("its pod cannot be written: {0}")]
    Write(#[source] serde_json::Error),
    /// The pod is not as it was read.
    #[error("its pod cannot be changed: {0}")]
    Change(#[source] PatchError),
}

/// A scalar of the object as its author has written it, by its JSON pointer: `0440`, which is read
/// as 288. `None` if that is not known.
pub type SourceText<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Adds to the object's pods what they need, and returns the warnings.
///
/// Pods are looked for in the kinds of Kubernetes that have them, in lists of these, and in custom
/// resources at whatever looks like a pod template. Fields that are not known here stay as they
/// are, and so do objects without pods; if they ask for EPC all the same, a warning says so.
///
/// Numbers and booleans become strings where a pod with EPC has to have strings.
///
/// # Errors
/// [`ObjectError`], if there should be a pod but is none. Of the object's pods some may have been
/// injected into then.
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
                vec![format!("{} is no pod template that can be read: {error}", place.path())]
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
            format!("{path} was taken for a pod template, since this kind is not known here")
        }));
    }
    let has_metadata = template.get("metadata").is_some_and(|metadata| !metadata.is_null());
    let (patch, of_pod) = patch(pod, has_metadata, settings).map_err(ObjectError::Write)?;
    json_patch::patch(template, &patch).map_err(ObjectError::Change)?;
    warnings.extend(of_pod);
    Ok(warnings)
}

/// Reads the pod as YAML, for which `10` is a string too where one is expected: quantities are
/// written so. A field that is null counts as one that is left out.
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
