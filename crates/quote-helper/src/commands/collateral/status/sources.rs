//! Whom collateral comes from, and whether they answer.

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
    /// Whether it answers; `null` if it was not asked.
    reachable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// All sources; with `probe` each is asked for something.
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
        let (name, question) = (source.to_string(), question(source, records));
        let Some(item) = question.filter(|_| probe) else {
            return Ok(Self { name, reachable: None, reason: None });
        };
        let now = Instant::now();
        let deadline = now.checked_add(settings.timeout).unwrap_or(now);
        let trouble =
            source.open()?.fetch(&item, deadline).err().filter(SourceError::is_source_failure);
        let reason = trouble.map(|error| error.to_string());
        Ok(Self { name, reachable: Some(reason.is_none()), reason })
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        let reason = self.reason.as_ref()?;
        let detail = format!("{} gives no answer: {reason}", self.name);
        let fix = "see that it runs and that this machine gets there; what is kept serves until it expires";
        Some(Problem::new(Condition::Attention, detail, fix))
    }
}

/// Something to ask this source for: what all have, or a PCK certificate that is known.
fn question(source: &SourceSettings, records: &[Record]) -> Option<CollateralId> {
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
