//! Requests for enclave memory or a quote service outside of a pod.

use serde_json::Value;

use super::fields;
use super::path::{path, step};
use super::places::PodLocation;
use crate::device_plugin::ResourceProfile;
use crate::injection::{INJECT_LABEL, QUOTE_PROVIDER_ANNOTATION};

/// The maximum number of warnings.
const MAX_WARNINGS: usize = 8;

/// Warns of EPC and opt-ins that have no effect.
pub(super) fn warnings(document: &Value, places: &[PodLocation]) -> Vec<String> {
    let mut warnings: Vec<_> =
        places.iter().filter_map(|place| misplaced_opt_in(document, place)).collect();
    let mut found = Vec::new();
    find_epc(document, "", &mut found);
    warnings.extend(found.iter().filter_map(|pointer| misplaced_epc(document, places, pointer)));
    warnings.truncate(MAX_WARNINGS);
    warnings
}

/// An opt-in in the object's metadata instead of its pod template's.
fn misplaced_opt_in(document: &Value, place: &PodLocation) -> Option<String> {
    let object = document.pointer(&place.object)?;
    let template = document.pointer(&place.pointer)?;
    let opt_ins = [("labels", INJECT_LABEL), ("annotations", QUOTE_PROVIDER_ANNOTATION)];
    let has = |value: &Value, (map, name): (&str, &str)| {
        value.get("metadata").and_then(|it| it.get(map)?.get(name)).is_some()
    };
    let opt_in = opt_ins.into_iter().find(|opt_in| has(object, *opt_in))?;
    if place.pointer == place.object || opt_ins.into_iter().any(|opt_in| has(template, opt_in)) {
        return None;
    }
    Some(format!(
        "{}{} is in metadata.{}, which pods do not get; write it in {}.metadata.{}",
        place.owner,
        opt_in.1,
        opt_in.0,
        place.path(),
        opt_in.0
    ))
}

fn misplaced_epc(document: &Value, places: &[PodLocation], pointer: &str) -> Option<String> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let (place, name) = (path(parent), name.replace("~1", "/"));
    let below = |place: &PodLocation| pointer.strip_prefix(&place.pointer).map(str::to_owned);
    let pod = places.iter().find_map(|place| Some((place, below(place)?)));
    let Some((pod, below)) = pod else {
        let reason = match document.get("apiVersion") {
            None => "the object has no apiVersion",
            Some(_) => "is not in a known pod template",
        };
        return Some(format!("{place} has {name}, but {reason}; it was not changed"));
    };
    let steps: Vec<_> = below.split('/').skip(1).collect();
    let is_right = matches!(
        steps[..],
        ["spec", "containers" | "initContainers", _, "resources", "limits" | "requests", _]
    );
    // A misspelled name has its own warning.
    if is_right || !fields::misspelled(document.pointer(&pod.pointer)?).is_empty() {
        return None;
    }
    Some(format!(
        "{place} has {name}, which counts only in a container's resources.limits; it was not \
         changed"
    ))
}

/// The pointers of all EPC resources, except in annotations.
fn find_epc(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let is_epc =
        |name: &str| ResourceProfile::ALL.iter().any(|profile| profile.epc_resource() == name);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "annotations") {
                let pointer = step(pointer, name);
                match is_epc(name) {
                    true => found.push(pointer),
                    false => find_epc(field, &pointer, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_epc(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}
