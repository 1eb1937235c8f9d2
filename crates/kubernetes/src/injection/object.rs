//! Objects that have pods in them, as people write them.

use json_patch::PatchError;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::{Settings, patch};

/// Which objects have a pod, and where: itself, or its template.
const POINTERS: [(&str, &str, &str); 7] = [
    ("v1", "Pod", ""),
    ("batch/v1", "Job", "/spec/template"),
    ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template"),
    ("apps/v1", "Deployment", "/spec/template"),
    ("apps/v1", "DaemonSet", "/spec/template"),
    ("apps/v1", "ReplicaSet", "/spec/template"),
    ("apps/v1", "StatefulSet", "/spec/template"),
];

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

/// Adds to the object's pod, if it has one, what it needs, and returns the warnings. What fields are not known
/// here stay as they are, and so do objects of other kinds.
///
/// # Errors
/// [`ObjectError`], if there should be a pod but is none. The object is as it was then.
pub fn inject_object(object: &mut Value, settings: &Settings) -> Result<Vec<String>, ObjectError> {
    let is = |field, text| object.get(field).and_then(Value::as_str) == Some(text);
    let mut pointers = POINTERS.iter();
    let pointer = pointers.find(|it| is("apiVersion", it.0) && is("kind", it.1));
    let Some(template) = pointer.and_then(|(_, _, pointer)| object.pointer_mut(pointer)) else {
        return Ok(Vec::new());
    };
    // Read as YAML, for which `10` is a string too where one is expected: quantities are written so.
    let pod = serde_saphyr::from_str::<Pod>(&template.to_string()).map_err(ObjectError::Read)?;
    let has_metadata = template.get("metadata").is_some_and(|metadata| !metadata.is_null());
    let (patch, warnings) = patch(pod, has_metadata, settings).map_err(ObjectError::Write)?;
    json_patch::patch(template, &patch).map_err(ObjectError::Change)?;
    Ok(warnings)
}
