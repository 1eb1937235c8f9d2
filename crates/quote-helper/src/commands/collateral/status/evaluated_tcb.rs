//! The status of a TCB, by one TCB evaluation.

use std::fmt;

use collateral::EvaluatedTcb;
use serde::Serialize;
use verify::{Shortfall, TcbPart, TcbStatus};

/// The TCB status of a platform, by one TCB evaluation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TcbStatusReport {
    /// `null` below every published level.
    pub(super) status: Option<TcbStatus>,
    /// The date of the level: issues fixed until then are fixed.
    date: Option<String>,
    pub(super) advisory_ids: Vec<String>,
    pub(super) tcb_evaluation_data_number: u32,
    pub(super) shortfalls: Vec<TcbShortfall>,
}

/// A component below the newest level.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TcbShortfall {
    /// 1 to 16; `null` for PCESVN.
    component: Option<u8>,
    category: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    has: u16,
    needs: u16,
    #[serde(skip)]
    words: String,
}

impl TcbStatusReport {
    pub(super) fn of(standing: EvaluatedTcb) -> Self {
        let EvaluatedTcb { tcb_evaluation_data_number, assessment } = standing;
        let reached = assessment.reached.as_ref();
        Self {
            status: reached.map(|level| level.status),
            date: reached.map(|level| printable::rfc3339(level.date)),
            advisory_ids: reached.map(|level| level.advisory_ids.clone()).unwrap_or_default(),
            tcb_evaluation_data_number,
            shortfalls: assessment.shortfalls.into_iter().map(TcbShortfall::from).collect(),
        }
    }

    /// The shortfalls as text; empty if there are none.
    pub(super) fn short(&self) -> String {
        let words: Vec<_> = self.shortfalls.iter().map(|short| short.words.as_str()).collect();
        words.join("; ")
    }
}

impl From<Shortfall> for TcbShortfall {
    fn from(shortfall: Shortfall) -> Self {
        let words = shortfall.to_string();
        let Shortfall { of, has, needs } = shortfall;
        let (component, category, kind) = match of {
            TcbPart::Component { number, category, kind } => (Some(number), category, kind),
            TcbPart::PceSvn => (None, None, None),
        };
        Self { component, category, kind, has, needs, words }
    }
}

impl fmt::Display for TcbShortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl fmt::Display for TcbStatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("below every published level")?,
        }
        write!(f, ", by TCB evaluation {}", self.tcb_evaluation_data_number)?;
        if !self.advisory_ids.is_empty() {
            write!(f, "; {}", self.advisory_ids.join(" "))?;
        }
        Ok(())
    }
}
