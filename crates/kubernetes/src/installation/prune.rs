//! The objects that a change leaves behind.

use super::apply::{DesiredObject, namespace};
use super::history::REVISIONS;
use super::kind::ObjectName;
use crate::manifests::SOFTWARE_PLATFORM;

/// The present objects that are not desired, except the recorded revisions, and the software
/// platform's root and its namespace: the root is generated once, and verifiers trust it.
pub(super) fn obsolete(present: Vec<ObjectName>, desired: &[DesiredObject<'_>]) -> Vec<ObjectName> {
    let is_root = |object: &ObjectName| object.is("Secret", SOFTWARE_PLATFORM);
    let is_root_wanted = desired.iter().any(|desired| is_root(&desired.name));
    let root = present.iter().find(|object| is_root(object) && !is_root_wanted).cloned();
    let root_namespace = root.as_ref().and_then(|root| root.namespace.as_deref());
    let kept = [root_namespace.map(ObjectName::namespace), root];
    let is_kept = |object: &ObjectName| {
        let is_history = object.is("ConfigMap", REVISIONS)
            && object.namespace.as_deref() == Some(namespace(desired));
        is_history
            || desired.iter().any(|desired| desired.name == *object)
            || kept.iter().flatten().any(|it| it == object)
    };
    present.into_iter().filter(|object| !is_kept(object)).collect()
}
