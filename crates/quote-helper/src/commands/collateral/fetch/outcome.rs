//! What has come of fetching, item by item.

use std::fmt;

use collateral::{CollateralId, FetchError, Record};
use serde::Serialize;

use super::super::item_words::ItemWords;
use super::super::words::{rfc3339, table};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::commands::collateral) struct Outcomes(pub(super) Vec<Row>);

/// An item.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::commands::collateral) struct Row {
    name: String,
    #[serde(skip)]
    words: String,
    outcome: Outcome,
    /// Where what is kept came from.
    source: Option<String>,
    /// Until when what is kept is valid.
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// It was fetched and is kept.
    Fetched,
    /// It was kept and is not due.
    Fresh,
    /// It was fetched and cannot be kept.
    NotKept,
    /// No source has it.
    Failed,
}

impl Outcomes {
    /// How many could not be had.
    pub(super) fn failed(&self) -> usize {
        let is_failed = |row: &&Row| matches!(row.outcome, Outcome::NotKept | Outcome::Failed);
        self.0.iter().filter(is_failed).count()
    }
}

impl Row {
    /// It was kept and is not due.
    pub(super) fn fresh(kept: &Record) -> Self {
        Self::new(&kept.item, Outcome::Fresh).with(Some(kept))
    }

    /// It was fetched, and could not be written for these reasons.
    pub(super) fn fetched(record: &Record, not_kept: &[String]) -> Self {
        let row = Self::new(&record.item, Outcome::Fetched).with(Some(record));
        match not_kept.is_empty() {
            true => row,
            false => Self { outcome: Outcome::NotKept, reason: Some(not_kept.join("; ")), ..row },
        }
    }

    /// No source has it, and this is kept.
    pub(super) fn failed(item: &CollateralId, error: &FetchError, kept: Option<&Record>) -> Self {
        let attempts: Vec<String> =
            error.attempts.iter().map(|it| format!("{}: {}", it.source, it.reason)).collect();
        let reason = match attempts.is_empty() {
            true => "there is no source to ask".to_owned(),
            false => attempts.join("; "),
        };
        Self { reason: Some(reason), ..Self::new(item, Outcome::Failed).with(kept) }
    }

    /// Whether it is about this item.
    pub(super) fn is_of(&self, item: &CollateralId) -> bool {
        self.name == item.to_string()
    }

    fn new(item: &CollateralId, outcome: Outcome) -> Self {
        let (name, words) = (item.to_string(), ItemWords::from(item).to_string());
        Self { name, words, outcome, source: None, valid_until: None, reason: None }
    }

    fn with(self, record: Option<&Record>) -> Self {
        Self {
            source: record.map(|record| record.source.clone()),
            valid_until: record.map(|record| rfc3339(record.validity.until)),
            ..self
        }
    }

    fn cells(&self) -> [String; 2] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (source, until, reason) =
            (text(&self.source), text(&self.valid_until), text(&self.reason));
        let outcome = match self.outcome {
            Outcome::Fetched => format!("fetched from {source}, valid until {until}"),
            Outcome::Fresh => format!("kept and not due, valid until {until}"),
            Outcome::NotKept => format!("fetched from {source}, NOT KEPT: {reason}"),
            Outcome::Failed if until.is_empty() => format!("FAILED: {reason}"),
            Outcome::Failed => format!("FAILED: {reason} (what is kept is valid until {until})"),
        };
        [self.words.clone(), outcome]
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.0.iter().map(Row::cells).collect();
        table(f, &rows)
    }
}
