//! The status of the cache and its items.

use std::fmt;
use std::time::SystemTime;

use collateral::{CollateralId, NodeStatus, Record, check};
use serde::Serialize;

use super::super::cache_view::{CacheView, FETCH_OPTIONS};
use super::super::format::days_left;
use super::super::item_label::ItemLabel;
use super::condition::{Condition, Problem};

/// Items with fewer days left need attention: certificates are valid for years, other
/// collateral for 30 days.
const PCK_WARNING_DAYS: i64 = 30;
const WARNING_DAYS: i64 = 7;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CacheStatus {
    directory: String,
    items: usize,
    due: usize,
    expired: usize,
    /// Messages about unusable files.
    unusable: Vec<String>,
    #[serde(skip)]
    fetch: String,
    #[serde(skip)]
    problems: Vec<Problem>,
}

impl CacheStatus {
    pub(super) fn of(
        view: &CacheView,
        records: &[Record],
        nodes: &[NodeStatus],
    ) -> anyhow::Result<Self> {
        let now = view.cache.fetcher().now();
        let in_use = records.iter().filter(|record| is_in_use(record, nodes));
        Ok(Self {
            directory: view.directory()?.display().to_string(),
            items: records.len(),
            due: records.iter().filter(|record| view.cache.is_due(record)).count(),
            expired: records.iter().filter(|record| now > record.validity.until).count(),
            unusable: view.take_unusable(),
            fetch: view.fetch_command(FETCH_OPTIONS),
            problems: in_use.filter_map(|record| problem(record, view, now)).collect(),
        })
    }

    /// The problem that collateral, but no PCK certificate is cached.
    pub(super) fn no_platform(&self) -> Option<Problem> {
        let detail = format!(
            "no platform was judged: there is no PCK certificate in {}, only collateral",
            self.directory
        );
        let fix = format!(
            "none if this machine only verifies quotes of others; else let its quote provider use \
             this cache (as the same user), or fetch for a quote: {}",
            self.fetch
        );
        (self.items > 0).then(|| Problem::new(Condition::Attention, detail, &fix))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let attention = |detail: String, fix: &str| Problem::new(Condition::Attention, detail, fix);
        let empty = (self.items == 0).then(|| {
            let detail = format!("there is no collateral in {}", self.directory);
            let fix = format!(
                "say what to fetch: {} (or --fmspc HEX --ca CA); or check the directory",
                self.fetch
            );
            attention(detail, &fix)
        });
        let unusable = self
            .unusable
            .iter()
            .map(|reason| attention(reason.clone(), "check the trusted root, or remove the file"));
        self.problems.iter().cloned().chain(empty).chain(unusable).collect()
    }
}

/// Tells if a record is in use. PCK certificates from before an update are not.
fn is_in_use(record: &Record, nodes: &[NodeStatus]) -> bool {
    let uses = |node: &NodeStatus| node.records.iter().any(|used| used.item == record.item);
    !matches!(record.item, CollateralId::PckCertificate(_)) || nodes.iter().any(uses)
}

fn problem(record: &Record, view: &CacheView, now: SystemTime) -> Option<Problem> {
    let (item, until) = (ItemLabel::from(&record.item), record.validity.until);
    let fetch = |options| format!("fetch it again: {}", view.fetch_command(options));
    if now > until {
        let detail = format!("{item} expired on {}", printable::date(until));
        return Some(Problem::new(Condition::Invalid, detail, &fetch("")));
    }
    // Its issuers may expire earlier.
    if let Err(error) = check(&record.item, &record.document, view.cache.fetcher().roots(), now) {
        let detail = format!("{item} is not valid any more: {error}");
        return Some(Problem::new(Condition::Invalid, detail, &fetch("--force")));
    }
    let warning = match record.item {
        CollateralId::PckCertificate(_) => PCK_WARNING_DAYS,
        _ => WARNING_DAYS,
    };
    let left = days_left(until, now);
    (left < warning).then(|| {
        let detail = format!("{item} expires on {}; days left: {left}", printable::date(until));
        Problem::new(Condition::Attention, detail, &fetch("--force"))
    })
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, items, due, expired, .. } = self;
        writeln!(f, "cache        {directory}: {items} items, {due} due, {expired} expired")
    }
}
