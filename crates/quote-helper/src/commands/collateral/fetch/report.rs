//! The result of a fetch, item by item.

use std::fmt;

use collateral::{CollateralId, FetchError, Record};
use serde::Serialize;

use super::super::item_label::ItemLabel;
use crate::output::table;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::commands::collateral) struct FetchReport(pub(super) Vec<FetchedItem>);

/// The result for one item.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::commands::collateral) struct FetchedItem {
    name: String,
    #[serde(skip)]
    label: String,
    outcome: FetchOutcome,
    /// The source of the cached record.
    source: Option<String>,
    /// The end of validity of the cached record.
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum FetchOutcome {
    /// Fetched and cached.
    Fetched,
    /// Cached and not due.
    Fresh,
    /// Fetched, but cannot be cached.
    NotKept,
    /// No source supplied it.
    Failed,
}

impl FetchReport {
    /// The number of failures.
    pub(super) fn failed(&self) -> usize {
        let is_failed = |row: &&FetchedItem| {
            matches!(row.outcome, FetchOutcome::NotKept | FetchOutcome::Failed)
        };
        self.0.iter().filter(is_failed).count()
    }
}

impl FetchedItem {
    /// Cached and not due.
    pub(super) fn fresh(kept: &Record) -> Self {
        Self::new(&kept.item, FetchOutcome::Fresh).with(Some(kept))
    }

    /// Fetched, unless there are reasons why it could not be written.
    pub(super) fn fetched(record: &Record, not_kept: &[String]) -> Self {
        let row = Self::new(&record.item, FetchOutcome::Fetched).with(Some(record));
        match not_kept.is_empty() {
            true => row,
            false => {
                Self { outcome: FetchOutcome::NotKept, reason: Some(not_kept.join("; ")), ..row }
            }
        }
    }

    /// No source supplied it; `kept` is the cached record.
    pub(super) fn failed(item: &CollateralId, error: &FetchError, kept: Option<&Record>) -> Self {
        let attempts: Vec<String> =
            error.attempts.iter().map(|it| format!("{}: {}", it.source, it.reason)).collect();
        let reason = match attempts.is_empty() {
            true => "there is no source to ask".to_owned(),
            false => attempts.join("; "),
        };
        Self { reason: Some(reason), ..Self::new(item, FetchOutcome::Failed).with(kept) }
    }

    /// Tells if this is the result for this item.
    pub(super) fn is_of(&self, item: &CollateralId) -> bool {
        self.name == item.to_string()
    }

    fn new(item: &CollateralId, outcome: FetchOutcome) -> Self {
        let (name, label) = (item.to_string(), ItemLabel::from(item).to_string());
        Self { name, label, outcome, source: None, valid_until: None, reason: None }
    }

    fn with(self, record: Option<&Record>) -> Self {
        Self {
            source: record.map(|record| record.source.clone()),
            valid_until: record.map(|record| printable::rfc3339(record.validity.until)),
            ..self
        }
    }

    fn cells(&self) -> [String; 2] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (source, until, reason) =
            (text(&self.source), text(&self.valid_until), text(&self.reason));
        let outcome = match self.outcome {
            FetchOutcome::Fetched => format!("fetched from {source}, valid until {until}"),
            FetchOutcome::Fresh => format!("cached and not due, valid until {until}"),
            FetchOutcome::NotKept => format!("fetched from {source}, NOT CACHED: {reason}"),
            FetchOutcome::Failed if until.is_empty() => format!("FAILED: {reason}"),
            FetchOutcome::Failed => {
                format!("FAILED: {reason} (the cached copy is valid until {until})")
            }
        };
        [self.label.clone(), outcome]
    }
}

impl fmt::Display for FetchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.0.iter().map(FetchedItem::cells).collect();
        table(f, &rows)
    }
}
