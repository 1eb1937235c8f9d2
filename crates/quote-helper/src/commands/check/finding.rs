//! What was found out about one thing.

use serde::Serialize;

/// How a finding came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// It is as it has to be.
    Ok,
    /// Quotes can be had, but not everything is as it should be.
    Warning,
    /// It keeps this machine from quoting.
    Failed,
    /// It was not looked at, or does not matter here.
    Skipped,
}

/// One thing that was looked at. Whatever is not in order comes with what to do about it.
///
/// In JSON `{"name", "status", "detail", "fix"}`, of which `fix` is null if the status is `ok`; names
/// stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// In lower case with hyphens, unique over all sections.
    pub(crate) name: &'static str,
    pub(crate) status: Status,
    /// What was found, for people.
    pub(crate) detail: String,
    /// What to do, for people.
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(crate) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), fix: None }
    }

    pub(crate) fn warning(
        name: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name, status: Status::Warning, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn failed(
        name: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name, status: Status::Failed, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn skipped(
        name: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name, status: Status::Skipped, detail: detail.into(), fix: Some(fix.into()) }
    }
}

/// Findings that belong together. In JSON `{"name", "findings"}`.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) findings: Vec<Finding>,
}
