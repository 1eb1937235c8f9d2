//! The results of an installation, object by object.

use super::kind::ObjectName;

/// The result for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedObject {
    /// The object.
    pub object: ObjectName,
    /// The outcome.
    pub outcome: ObjectOutcome,
}

/// The outcome for an object, or the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// It did not exist.
    Created,
    /// It was different.
    Changed,
    /// It was the same.
    Unchanged,
    /// It was removed.
    Removed,
    /// A namespace that others created: it is used, but neither changed nor removed.
    Unmanaged,
    /// The add-on's namespace, which stays since others use it.
    InUse,
}

/// The expected change of an object.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The object.
    pub object: ObjectName,
    /// The expected outcome.
    pub outcome: ObjectOutcome,
    /// The change as a unified diff of YAML, without values of Secrets; empty if there is none.
    pub difference: String,
}
