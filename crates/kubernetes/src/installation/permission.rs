//! A permission at the API server.

use std::fmt;

use super::kind::Kind;

/// The permission to do something with objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The verb, such as `create`.
    pub verb: String,
    /// The API group of the resource; empty for the core.
    pub group: String,
    /// The resource, such as `daemonsets` or `nodes/status`.
    pub resource: String,
    /// The only object that it is for, if not all.
    pub name: Option<String>,
    /// The namespace; all if `None`.
    pub namespace: Option<String>,
}

impl Permission {
    pub(super) fn new(verb: &str, group: &str, resource: &str, namespace: Option<&str>) -> Self {
        Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: None,
            namespace: namespace.map(ToOwned::to_owned),
        }
    }

    /// The permission for objects of this kind.
    pub(super) fn with(verb: &str, kind: &Kind, namespace: Option<&str>) -> Self {
        Self::new(verb, kind.group(), kind.plural(), namespace)
    }

    /// The permission for the object of this name alone.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    fn object(&self) -> String {
        let mut object = self.resource.clone();
        if !self.group.is_empty() {
            object = format!("{object}.{}", self.group);
        }
        if let Some(name) = &self.name {
            object = format!("{object} {name}");
        }
        match &self.namespace {
            Some(namespace) => format!("{object} in the namespace {namespace}"),
            None => object,
        }
    }
}

/// For instance `create daemonsets.apps in the namespace kube-system`.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object())
    }
}

/// A line for each kind of object, with all verbs.
pub(super) fn grouped(permissions: &[Permission]) -> Vec<String> {
    let mut groups = Vec::<(String, Vec<&str>)>::new();
    for permission in permissions {
        let object = permission.object();
        match groups.iter_mut().find(|(other, _)| *other == object) {
            Some((_, verbs)) => verbs.push(&permission.verb),
            None => groups.push((object, vec![&permission.verb])),
        }
    }
    groups.into_iter().map(|(object, verbs)| format!("{} {object}", verbs.join(", "))).collect()
}
