//! `collateral import`: what is in a bundle, checked and kept.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use collateral::{Bundle, BundleRecord, Imported};
use serde::Serialize;

use super::held::{Held, HeldArguments};
use super::item_words::ItemWords;
use super::messages::Messages;
use super::words::{rfc3339, table};
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};

/// Items of a bundle that are listed; further ones are counted.
const MOST_LISTED: usize = 1_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bundle, as `collateral export` writes it; `-` is standard input.
    file: PathBuf,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    held: HeldArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let held = Held::open(&arguments.held)?;
    held.check_place()?;
    let file = files::Input(&arguments.file);
    let import = files::open(&arguments.file)
        .and_then(|from| Ok(Import::of(Bundle::open(BufReader::new(from))?, &held)))
        .with_context(|| format!("cannot import {file}"))?;
    held.take_unusable().iter().for_each(output::note);
    output::result(arguments.output, &import)?;
    match import.is_whole() {
        true => Ok(()),
        false => Err(anyhow::anyhow!("not all of {file} could be kept").into()),
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What has become of a bundle.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Import {
    items: Vec<Row>,
    /// How many items are not listed, since there are so many.
    #[serde(skip_serializing_if = "is_zero")]
    further_items: u64,
    /// How many items were refused, those that are not listed included.
    refused: u64,
    /// What is wrong with the bundle itself.
    damage: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row {
    name: String,
    #[serde(skip)]
    words: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// It is kept.
    Kept,
    /// What was kept before is not older, and stays.
    HadNewer,
    /// It does not hold, or cannot be written.
    Refused,
}

impl Import {
    fn of<R: BufRead>(bundle: Bundle<R>, held: &Held) -> Self {
        let mut import =
            Self { items: Vec::new(), further_items: 0, refused: 0, damage: Vec::new() };
        let mut damage = Messages::default();
        for record in bundle {
            match record {
                Ok(record) => import.add(Row::of(record, held)),
                Err(error) => damage.push(&error.to_string()),
            }
        }
        Self { damage: damage.into(), ..import }
    }

    fn add(&mut self, row: Row) {
        if row.outcome == Outcome::Refused {
            self.refused = self.refused.saturating_add(1);
        }
        match self.items.len() < MOST_LISTED {
            true => self.items.push(row),
            false => self.further_items = self.further_items.saturating_add(1),
        }
    }

    fn is_whole(&self) -> bool {
        self.damage.is_empty() && self.refused == 0
    }
}

impl Row {
    fn of(record: BundleRecord, held: &Held) -> Self {
        let item = record.item();
        let (name, words) = (item.to_string(), ItemWords::from(item).to_string());
        let (outcome, valid_until, reason) = match held.cache.import(record) {
            Ok(Imported::Stored(record)) => (Outcome::Kept, Some(record.validity.until), None),
            Ok(Imported::HadNewer(kept)) => (Outcome::HadNewer, Some(kept.validity.until), None),
            Err(error) => {
                (Outcome::Refused, None, Some(printable::line(&error.to_string()).into_owned()))
            }
        };
        Self { name, words, outcome, valid_until: valid_until.map(rfc3339), reason }
    }

    fn cells(&self) -> [String; 2] {
        let until = self.valid_until.as_deref().unwrap_or_default();
        let outcome = match self.outcome {
            Outcome::Kept => format!("kept, valid until {until}"),
            Outcome::HadNewer => {
                format!("not newer than what is kept, which is valid until {until}")
            }
            Outcome::Refused => format!("REFUSED: {}", self.reason.as_deref().unwrap_or_default()),
        };
        [self.words.clone(), outcome]
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.items.iter().map(Row::cells).collect();
        table(f, &rows)?;
        if !is_zero(&self.further_items) {
            writeln!(f, "and {} more; {} were refused in all", self.further_items, self.refused)?;
        }
        self.damage.iter().try_for_each(|damage| writeln!(f, "the bundle: {damage}"))
    }
}
