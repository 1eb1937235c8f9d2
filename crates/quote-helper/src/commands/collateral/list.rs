//! `collateral list`: the cached items and the end of their validity.

use std::fmt;
use std::time::SystemTime;

use clap::Args;
use collateral::{Cache, CollateralId, PckCertificateRequest, PckContents, Record};
use serde::Serialize;

use super::cache_view::{CacheArguments, CacheView, FETCH_OPTIONS};
use super::format::days_left;
use super::item_label::ItemLabel;
use crate::failure::Failure;
use crate::output::{self, Format, table};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    view: CacheArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = CacheView::open(&arguments.view)?;
    let now = view.cache.fetcher().now();
    let records = view.records()?;
    let items = records.iter().map(|record| ListedItem::of(record, &view.cache, now)).collect();
    let directory = view.directory()?.display().to_string();
    let list = CacheList {
        directory,
        fetch: view.fetch_command(FETCH_OPTIONS),
        items,
        unusable: view.take_unusable(),
    };
    Ok(output::result(arguments.output, &list)?)
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CacheList {
    directory: String,
    #[serde(skip)]
    fetch: String,
    items: Vec<ListedItem>,
    /// Messages about unusable files.
    unusable: Vec<String>,
}

/// A cached item.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ListedItem {
    /// The name of its file, without `.json`.
    name: String,
    what: String,
    #[serde(skip)]
    of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    qe_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_svn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pce_svn: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fmspc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    source: String,
    fetched: String,
    valid_from: String,
    valid_until: String,
    days_left: i64,
    due: bool,
    expired: bool,
    #[serde(skip)]
    dates: [String; 2],
}

impl ListedItem {
    fn of(record: &Record, cache: &Cache, now: SystemTime) -> Self {
        let Record { item, validity, fetched, source, .. } = record;
        let ItemLabel { what, of } = ItemLabel::from(item);
        let mut entry = Self {
            name: item.to_string(),
            what,
            of,
            qe_id: None,
            cpu_svn: None,
            pce_svn: None,
            fmspc: None,
            ca: None,
            source: source.clone(),
            fetched: printable::rfc3339(*fetched),
            valid_from: printable::rfc3339(validity.from),
            valid_until: printable::rfc3339(validity.until),
            days_left: days_left(validity.until, now),
            due: cache.is_due(record),
            expired: now > validity.until,
            dates: [printable::date(*fetched), printable::date(validity.until)],
        };
        entry.add_keys(record);
        entry
    }

    /// The subject, in the terms of SGX.
    fn add_keys(&mut self, Record { item, document, .. }: &Record) {
        match item {
            CollateralId::PckCertificate(PckCertificateRequest {
                qe_id, cpu_svn, pce_svn, ..
            }) => {
                self.qe_id = Some(hex::encode(qe_id));
                (self.cpu_svn, self.pce_svn) = (Some(cpu_svn.to_string()), Some(*pce_svn));
                if let Ok(PckContents { fmspc, ca, .. }) = PckContents::read(&document.body) {
                    (self.fmspc, self.ca) = (Some(hex::encode(fmspc)), Some(ca.to_string()));
                }
            }
            CollateralId::PckCrl(ca) => self.ca = Some(ca.to_string()),
            CollateralId::TcbInfo { fmspc, .. } => self.fmspc = Some(hex::encode(fmspc)),
            CollateralId::RootCaCrl | CollateralId::EnclaveIdentity { .. } => {}
        }
    }

    fn row(&self) -> [String; 7] {
        let [fetched, until] = self.dates.clone();
        let state = match (self.expired, self.due) {
            (true, _) => "EXPIRED",
            (false, true) => "due",
            (false, false) => "",
        };
        let (what, of, source) = (self.what.clone(), self.of.clone(), self.source.clone());
        [what, of, fetched, until, self.days_left.to_string(), state.to_owned(), source]
    }
}

impl fmt::Display for CacheList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, fetch, items, unusable } = self;
        if items.is_empty() {
            writeln!(f, "there is no collateral in {directory}; say what to fetch: {fetch}")?;
        } else {
            let head = ["ITEM", "OF", "FETCHED", "VALID UNTIL", "DAYS LEFT", "STATE", "SOURCE"];
            let rows: Vec<_> = items.iter().map(ListedItem::row).collect();
            table(f, &[&[head.map(str::to_owned)], &rows[..]].concat())?;
        }
        unusable.iter().try_for_each(|reason| writeln!(f, "! {}", printable::line(reason)))
    }
}
