//! What was found out about one thing.

use serde::{Deserialize, Serialize};

/// How a finding came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is as it has to be.
    Ok,
    /// Quotes can be had, but not everything is as it should be.
    Warning,
    /// It keeps this machine, or somebody in this cluster, from quoting.
    Failed,
    /// It was not looked at, or does not matter here.
    Skipped,
}

/// One thing that was looked at. Whatever is not in order comes with what to do about it.
///
/// In JSON `{"name", "object", "status", "detail", "value", "fix"}`, of which `fix` is null if the status is
/// `ok`, and `object` and `value` are there only where there is one; names stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// In lower case with hyphens, unique over all sections.
    pub name: &'static str,
    /// Which of several it is about, as kubectl names it, such as `node/worker-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The outcome.
    pub status: Status,
    /// What was found, for people.
    pub detail: String,
    /// What was found, for programs: a date (RFC 3339) or a name that stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What to do, for people.
    pub fix: Option<String>,
}

impl Finding {
    /// Something that is in order.
    #[must_use]
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            object: None,
            status: Status::Ok,
            detail: detail.into(),
            value: None,
            fix: None,
        }
    }

    /// Something that does not keep from quoting, and its fix.
    #[must_use]
    pub fn warning(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warning, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// Something that keeps from quoting, and its fix.
    #[must_use]
    pub fn failed(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Failed, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// Something that was not looked at, the reason, and how to have it looked at.
    #[must_use]
    pub fn skipped(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Skipped, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// The same, about this object.
    #[must_use]
    pub fn about(self, object: impl Into<String>) -> Self {
        Self { object: Some(object.into()), ..self }
    }

    /// The same, with a value for programs.
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
