//! Warnings about a pod's labels and annotations.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::shown;
use crate::injection::epc::EPC_ANNOTATION;
use crate::injection::{INJECT_LABEL, QUOTE_PROVIDER_ANNOTATION};

/// The maximum number of keys to check.
const MAX_KEYS: usize = 8;
/// The maximum edit distance of a misspelled key.
const MAX_DISTANCE: usize = 3;

/// True if a label or an annotation may be meant for injection.
pub(crate) fn is_relevant(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["sgx", "quote-helper", "quote-provider"].iter().any(|part| key.contains(part))
}

/// Warnings about labels and annotations.
pub(super) fn of(metadata: &ObjectMeta) -> Vec<String> {
    let keys = |map: &Option<std::collections::BTreeMap<String, String>>| {
        let keys = map.iter().flat_map(|map| map.keys());
        keys.filter(|key| is_relevant(key)).take(MAX_KEYS).cloned().collect::<Vec<_>>()
    };
    let labels = keys(&metadata.labels)
        .into_iter()
        .filter_map(|key| problem("label", &key, &[INJECT_LABEL], &[QUOTE_PROVIDER_ANNOTATION]));
    let annotations = keys(&metadata.annotations).into_iter().filter_map(|key| {
        let known = [QUOTE_PROVIDER_ANNOTATION, EPC_ANNOTATION];
        problem("annotation", &key, &known, &[INJECT_LABEL])
    });
    labels.chain(value(metadata)).chain(annotations).collect()
}

/// The problem of a key; `elsewhere` lists keys that belong to the other map.
fn problem(what: &str, key: &str, known: &[&str], elsewhere: &[&str]) -> Option<String> {
    if known.contains(&key) {
        return None;
    }
    if elsewhere.contains(&key) {
        let other = if what == "label" { "an annotation" } else { "a label" };
        return Some(format!("{key} is {other}; as {what} it has no effect"));
    }
    let lower = shown(key).to_ascii_lowercase();
    let is_near = |known: &&&str| strsim::osa_distance(&lower, known) <= MAX_DISTANCE;
    let near = known.iter().find(is_near)?;
    Some(format!("the {what} {:?} has no effect; write {near}", shown(key)))
}

/// A value of the label other than true or false.
fn value(metadata: &ObjectMeta) -> Option<String> {
    let value = metadata.labels.as_ref()?.get(INJECT_LABEL)?;
    (!["true", "false"].contains(&value.as_str())).then(|| {
        format!("the label {INJECT_LABEL} has the value {:?}; write \"true\"", shown(value))
    })
}
