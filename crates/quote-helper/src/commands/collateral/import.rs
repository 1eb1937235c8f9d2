//! `collateral import`: checks a bundle and stores its items.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use collateral::{Bundle, BundleRecord, Imported};
use serde::Serialize;

use super::cache_view::{CacheArguments, CacheView};
use super::item_label::ItemLabel;
use super::messages::Messages;
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format, table};

/// Maximum items listed; further ones are only counted.
const MAX_LISTED: usize = 1_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bundle, as `collateral export` writes it; `-` is standard input.
    file: PathBuf,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    view: CacheArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = CacheView::open(&arguments.view)?;
    view.check_place()?;
    let file = files::Input(&arguments.file);
    let import = files::open(&arguments.file)
        .and_then(|from| Ok(ImportReport::of(Bundle::open(BufReader::new(from))?, &view)))
        .with_context(|| format!("cannot import {file}"))?;
    view.take_unusable().iter().for_each(output::note);
    output::result(arguments.output, &import)?;
    match import.is_whole() {
        true => Ok(()),
        false => Err(anyhow::anyhow!("not all of {file} could be imported").into()),
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The result of an import.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ImportReport {
    items: Vec<ImportedItem>,
    /// The number of items that are not listed, since there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    further_items: u64,
    /// The number of rejected items, including those that are not listed.
    refused: u64,
    /// Errors in the bundle itself.
    damage: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ImportedItem {
    name: String,
    #[serde(skip)]
    label: String,
    outcome: ImportOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum ImportOutcome {
    /// Stored in the cache.
    Kept,
    /// The cached record is not older, and stays.
    HadNewer,
    /// Invalid, or cannot be written.
    Refused,
}

impl ImportReport {
    fn of<R: BufRead>(bundle: Bundle<R>, view: &CacheView) -> Self {
        let mut import =
            Self { items: Vec::new(), further_items: 0, refused: 0, damage: Vec::new() };
        let mut damage = Messages::default();
        for record in bundle {
            match record {
                Ok(record) => import.add(ImportedItem::of(record, view)),
                Err(error) => damage.push(&error.to_string()),
            }
        }
        Self { damage: damage.into(), ..import }
    }

    fn add(&mut self, row: ImportedItem) {
        if row.outcome == ImportOutcome::Refused {
            self.refused = self.refused.saturating_add(1);
        }
        match self.items.len() < MAX_LISTED {
            true => self.items.push(row),
            false => self.further_items = self.further_items.saturating_add(1),
        }
    }

    fn is_whole(&self) -> bool {
        self.damage.is_empty() && self.refused == 0
    }
}

impl ImportedItem {
    fn of(record: BundleRecord, view: &CacheView) -> Self {
        let item = record.item();
        let (name, label) = (item.to_string(), ItemLabel::from(item).to_string());
        let (outcome, valid_until, reason) = match view.cache.import(record) {
            Ok(Imported::Stored(record)) => {
                (ImportOutcome::Kept, Some(record.validity.until), None)
            }
            Ok(Imported::HadNewer(kept)) => {
                (ImportOutcome::HadNewer, Some(kept.validity.until), None)
            }
            Err(error) => (
                ImportOutcome::Refused,
                None,
                Some(printable::line(&error.to_string()).into_owned()),
            ),
        };
        Self { name, label, outcome, valid_until: valid_until.map(printable::rfc3339), reason }
    }

    fn cells(&self) -> [String; 2] {
        let until = self.valid_until.as_deref().unwrap_or_default();
        let outcome = match self.outcome {
            ImportOutcome::Kept => format!("cached, valid until {until}"),
            ImportOutcome::HadNewer => {
                format!("not newer than the cached copy, which is valid until {until}")
            }
            ImportOutcome::Refused => {
                format!("REFUSED: {}", self.reason.as_deref().unwrap_or_default())
            }
        };
        [self.label.clone(), outcome]
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.items.iter().map(ImportedItem::cells).collect();
        table(f, &rows)?;
        if !is_zero(&self.further_items) {
            writeln!(f, "and {} more; {} rejected in total", self.further_items, self.refused)?;
        }
        self.damage.iter().try_for_each(|damage| writeln!(f, "the bundle: {damage}"))
    }
}
