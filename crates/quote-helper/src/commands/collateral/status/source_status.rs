//! The status of the sources.

use std::fmt;
use std::time::Instant;

use collateral::settings::{Settings, SourceSettings};
use collateral::{CollateralId, Record, SourceError};
use serde::Serialize;
use verify::PckCa;

use super::condition::{Condition, Problem};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SourceStatus {
    name: String,
    /// The result of the probe; `null` without one.
    reachable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The status of all sources, which are asked with `probe` only.
pub(super) fn all(
    settings: &Settings,
    records: &[Record],
    probe: bool,
) -> anyhow::Result<Vec<SourceStatus>> {
    let sources = settings.sources.iter();
    sources.map(|source| SourceStatus::of(source, settings, records, probe)).collect()
}

impl SourceStatus {
    fn of(
        source: &SourceSettings,
        settings: &Settings,
        records: &[Record],
        probe: bool,
    ) -> anyhow::Result<Self> {
        let (name, item) = (source.to_string(), probe_item(source, records));
        let Some(item) = item.filter(|_| probe) else {
            return Ok(Self { name, reachable: None, reason: None });
        };
        let now = Instant::now();
        let deadline = now.checked_add(settings.timeout).unwrap_or(now);
        let failure =
            source.open()?.fetch(&item, deadline).err().filter(SourceError::is_source_failure);
        let reason = failure.map(|error| error.to_string());
        Ok(Self { name, reachable: Some(reason.is_none()), reason })
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        let reason = self.reason.as_ref()?;
        let detail = format!("{} does not answer: {reason}", self.name);
        let fix = "check that it runs and that this machine can reach it; cached collateral stays in use until it expires";
        Some(Problem::new(Condition::Attention, detail, fix))
    }
}

/// An item for the probe: one that every source has, or a cached PCK certificate.
fn probe_item(source: &SourceSettings, records: &[Record]) -> Option<CollateralId> {
    if source.serves().collateral() {
        return Some(CollateralId::PckCrl(PckCa::Platform));
    }
    let mut items = records.iter().map(|record| &record.item);
    items.find(|item| matches!(item, CollateralId::PckCertificate(_))).cloned()
}

impl fmt::Display for SourceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.reachable {
            Some(true) => ", answers",
            Some(false) => ", does NOT answer",
            None => "",
        };
        write!(f, "{}{state}", self.name)
    }
}
