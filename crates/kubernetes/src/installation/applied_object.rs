//! The results of an installation, object by object.

use super::kind::ObjectName;

/// What has become of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedObject {
    /// Which one.
    pub object: ObjectName,
    /// What it is now.
    pub outcome: ObjectOutcome,
}

/// What has become of an object, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// It was not there before.
    Created,
    /// It was there in another form.
    Changed,
    /// It was there in this form.
    Unchanged,
    /// It is there no more.
    Removed,
    /// It is a namespace that others have made. It is used, and neither changed nor removed.
    Unmanaged,
    /// It is our namespace, and stays since others have something in it.
    InUse,
}

/// How an object would change.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Which one.
    pub object: ObjectName,
    /// What would become of it.
    pub outcome: ObjectOutcome,
    /// The change as a unified diff of YAML; empty if there is none. No value of a Secret is in it.
    pub difference: String,
}
