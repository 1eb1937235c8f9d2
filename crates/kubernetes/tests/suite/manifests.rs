//! Objects of the add-on are consistent, and pods have minimal permissions, with all settings.
pub(crate) mod choices;
mod cluster_pccs;
mod network;
mod pod_monitor;
mod pods;
mod references;
mod rights;
mod secrets;
mod settings;
mod verification;
mod versions;

use kube::core::DynamicObject;
use serde_json::Value;

/// The object of this kind and name.
#[track_caller]
fn find(objects: &[DynamicObject], kind: &str, name: &str) -> Value {
    let found = objects.iter().find(|object| is(object, kind, name));
    serde_json::to_value(found.unwrap_or_else(|| panic!("no {kind} {name}"))).unwrap()
}

fn is(object: &DynamicObject, kind: &str, name: &str) -> bool {
    self::kind(object) == kind && object.metadata.name.as_deref() == Some(name)
}

fn kind(object: &DynamicObject) -> &str {
    &object.types.as_ref().unwrap().kind
}
