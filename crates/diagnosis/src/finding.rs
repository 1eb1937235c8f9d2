//! Findings.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The status of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is in order.
    Ok,
    /// Quotes can be made, but something should be fixed.
    Warning,
    /// It prevents quotes on this machine or somewhere in this cluster.
    Failed,
    /// It was not checked, or does not matter here.
    Skipped,
}

/// The result of one check, with a fix unless it is in order.
///
/// In JSON `{"name", "object", "status", "detail", "value", "fix"}`: `fix` is null if the status is
/// `ok`; `object` and `value` may be absent; names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// In lower case with hyphens, unique over all sections.
    pub name: Cow<'static, str>,
    /// The object of a cluster, as kubectl names it, such as `node/worker-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The status.
    pub status: Status,
    /// The observation, for people.
    pub detail: String,
    /// The observation, for programs: a date (RFC 3339) or a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The fix, for people.
    pub fix: Option<String>,
}

impl Finding {
    /// Something that is in order.
    #[must_use]
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self { name, object: None, status: Status::Ok, detail, value: None, fix: None }
    }

    /// A problem that does not prevent quotes, and its fix.
    #[must_use]
    pub fn warning(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warning, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// A problem that prevents quotes, and its fix.
    #[must_use]
    pub fn failed(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Failed, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// Something that was not checked, the reason, and the way to have it checked.
    #[must_use]
    pub fn skipped(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Skipped, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// Sets the object of a cluster.
    #[must_use]
    pub fn about(self, object: impl Into<String>) -> Self {
        Self { object: Some(object.into()), ..self }
    }

    /// Sets the value for programs.
    #[must_use]
    pub fn with_value(self, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..self }
    }
}

/// Findings that belong together. In JSON `{"name", "findings"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Section {
    /// The heading.
    pub name: &'static str,
    /// In the order in which they are shown.
    pub findings: Vec<Finding>,
}
