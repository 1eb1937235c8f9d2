//! The printed table.

use std::fmt;
use std::time::Duration;

/// Rows in the order of measurement.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

/// A figure, its baseline, and the promised bound.
pub(crate) struct Row {
    what: String,
    figure: Figure,
    compared: Option<(&'static str, Figure)>,
    promise: Option<Promise>,
}

/// A measured value with its unit.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Time(Duration),
    Megabytes(f64),
    PerSecond(f64),
    Count(usize),
}

/// A bound on the ratio, or on the figure itself if it has no baseline.
struct Promise {
    text: &'static str,
    limit: f64,
}

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, figure: Figure) -> Self {
        Self { what: what.into(), figure, compared: None, promise: None }
    }

    pub(crate) fn compared_with(self, what: &'static str, figure: Figure) -> Self {
        Self { compared: Some((what, figure)), ..self }
    }

    /// The promise as text, and its limit: a ratio, milliseconds, megabytes or a count.
    pub(crate) fn promised(self, text: &'static str, limit: f64) -> Self {
        Self { promise: Some(Promise { text, limit }), ..self }
    }

    fn ratio(&self) -> Option<f64> {
        self.compared.map(|(_, other)| self.figure.value() / other.value())
    }
}

impl Figure {
    /// A rate, from the time of each.
    pub(crate) fn rate(time: Duration) -> Self {
        Self::PerSecond(1.0 / time.as_secs_f64())
    }

    fn value(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64() * 1e3,
            Self::Megabytes(value) | Self::PerSecond(value) => value,
            Self::Count(count) => count as f64,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time < Duration::from_millis(10) => {
                write!(f, "{:.1} µs", time.as_secs_f64() * 1e6)
            }
            Self::Time(time) => write!(f, "{:.0} ms", time.as_secs_f64() * 1e3),
            Self::Megabytes(value) => write!(f, "{value:.1} MB"),
            Self::PerSecond(value) => write!(f, "{value:.0}/s"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| What | Figure | Compared with | Ratio | Promise |")?;
        writeln!(f, "|---|--:|---|--:|---|")?;
        self.0.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} |", self.what, self.figure)?;
        match &self.compared {
            Some((what, other)) => write!(f, " {what}: {other} |")?,
            None => write!(f, " |")?,
        }
        match self.ratio() {
            Some(ratio) => write!(f, " {ratio:.2} |")?,
            None => write!(f, " |")?,
        }
        match &self.promise {
            Some(Promise { text, limit }) => {
                let kept = self.ratio().unwrap_or(self.figure.value()) <= *limit;
                write!(f, " {text}: {} |", if kept { "kept" } else { "**missed**" })
            }
            None => write!(f, " |"),
        }
    }
}
