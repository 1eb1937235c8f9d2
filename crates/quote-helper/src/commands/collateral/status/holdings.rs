//! What is in the cache, and how good it still is.

use std::fmt;
use std::time::SystemTime;

use collateral::{CollateralId, NodeStatus, Record, check};
use serde::Serialize;

use super::super::held::{FETCHED, Held};
use super::super::item_words::ItemWords;
use super::super::words::{date, days_left};
use super::condition::{Condition, Problem};

/// With fewer days left than this something is amiss: certificates are valid for years, other collateral for 30 days.
const PCK_WARNING_DAYS: i64 = 30;
const WARNING_DAYS: i64 = 7;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Holdings {
    directory: String,
    items: usize,
    due: usize,
    expired: usize,
    /// Files that say nothing, in words.
    unusable: Vec<String>,
    #[serde(skip)]
    fetch: String,
    #[serde(skip)]
    problems: Vec<Problem>,
}

impl Holdings {
    pub(super) fn of(
        held: &Held,
        records: &[Record],
        nodes: &[NodeStatus],
    ) -> anyhow::Result<Self> {
        let now = held.cache.fetcher().now();
        let counts = records.iter().filter(|record| counts(record, nodes));
        Ok(Self {
            directory: held.directory()?.display().to_string(),
            items: records.len(),
            due: records.iter().filter(|record| held.cache.is_due(record)).count(),
            expired: records.iter().filter(|record| now > record.validity.until).count(),
            unusable: held.take_unusable(),
            fetch: held.fetch_command(FETCHED),
            problems: counts.filter_map(|record| problem(record, held, now)).collect(),
        })
    }

    /// That collateral is kept, and no PCK certificate by which a platform could be judged.
    pub(super) fn unjudged(&self) -> Option<Problem> {
        let detail = format!(
            "no platform was judged: there is no PCK certificate in {}, only collateral",
            self.directory
        );
        let fix = format!(
            "where only quotes of other machines are verified, nothing; else let the quote provider of this machine keep \
             its certificate here (same user, same cache), or fetch what a quote names: {}",
            self.fetch
        );
        (self.items > 0).then(|| Problem::new(Condition::Attention, detail, &fix))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let attention = |detail: String, fix: &str| Problem::new(Condition::Attention, detail, fix);
        let empty = (self.items == 0).then(|| {
            let detail = format!("there is no collateral in {}", self.directory);
            let fix = format!(
                "say what to fetch: {} (or --fmspc HEX --ca CA); or see that the directory is the right one",
                self.fetch
            );
            attention(detail, &fix)
        });
        let unusable = self.unusable.iter().map(|reason| {
            attention(
                reason.clone(),
                "see that the trusted root is the right one, or remove the file",
            )
        });
        self.problems.iter().cloned().chain(empty).chain(unusable).collect()
    }
}

/// Whether it matters how good it is. The certificates that platforms had before an update do not.
fn counts(record: &Record, nodes: &[NodeStatus]) -> bool {
    let is_in_use = |node: &NodeStatus| node.records.iter().any(|used| used.item == record.item);
    !matches!(record.item, CollateralId::PckCertificate(_)) || nodes.iter().any(is_in_use)
}

fn problem(record: &Record, held: &Held, now: SystemTime) -> Option<Problem> {
    let (item, until) = (ItemWords::from(&record.item), record.validity.until);
    let fetch = |options| format!("fetch it again: {}", held.fetch_command(options));
    if now > until {
        let detail = format!("{item} expired on {}", date(until));
        return Some(Problem::new(Condition::Invalid, detail, &fetch("")));
    }
    // Its issuers may have expired before it.
    if let Err(error) = check(&record.item, &record.document, held.cache.fetcher().roots(), now) {
        let detail = format!("{item} does not hold any more: {error}");
        return Some(Problem::new(Condition::Invalid, detail, &fetch("--force")));
    }
    let warning = match record.item {
        CollateralId::PckCertificate(_) => PCK_WARNING_DAYS,
        _ => WARNING_DAYS,
    };
    let left = days_left(until, now);
    (left < warning).then(|| {
        let detail = format!("{item} expires on {}; days left: {left}", date(until));
        Problem::new(Condition::Attention, detail, &fetch("--force"))
    })
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, items, due, expired, .. } = self;
        writeln!(f, "cache        {directory}: {items} items, {due} due, {expired} expired")
    }
}
