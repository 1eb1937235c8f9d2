//! The log of a service, on standard error.

use std::fmt;
use std::io::{self, IsTerminal};

use clap::ValueEnum;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use serde::Deserialize;
use service::Metrics;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

use super::journal::{self, JournalLines};

/// The filter of messages, in tracing's syntax, for instance `debug`.
const FILTER: &str = "QUOTE_HELPER_LOG";

/// The maximum number of lines in the queue; further ones are lost.
const LINES: usize = 4_096;

/// The log, until this is dropped.
#[must_use]
pub(crate) struct Log {
    lost: ErrorCounter,
    _guard: WorkerGuard,
}

impl Log {
    /// Shows among the metrics how many lines were lost.
    pub(crate) fn show(&self, metrics: &Metrics) {
        let lost = Box::new(LinesLost(self.lost.clone()));
        metrics.register(|registry| registry.register_collector(lost));
    }
}

#[derive(Debug)]
struct LinesLost(ErrorCounter);

impl Collector for LinesLost {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Log lines dropped because the queue was full";
        let lost = ConstCounter::new(u64::try_from(self.0.dropped_lines()).unwrap_or(u64::MAX));
        lost.encode(encoder.encode_descriptor("log_lines_lost", help, None, lost.metric_type())?)
    }
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts logging. An invalid filter counts as `info`. A thread of its own writes, so that nothing
/// waits for the reader of the log.
pub(super) fn start(format: LogFormat) -> Log {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES)
        .thread_name("log")
        .finish(io::stderr());
    let lost = writer.error_counter();
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var(FILTER)
        .from_env_lossy();
    let colors = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(colors)
        // The service does not need standard error.
        .log_internal_errors(false)
        .with_writer(writer);
    match format {
        LogFormat::Text if journal::is_standard_error() => {
            log.fmt_fields(PrintableFields).event_format(JournalLines::default()).init();
        }
        LogFormat::Text => log.fmt_fields(PrintableFields).init(),
        LogFormat::Json => log.json().init(),
    }
    Log { lost, _guard: guard }
}

/// Message and fields of an event as one line, with untrusted characters escaped.
struct PrintableFields;

impl<'writer> FormatFields<'writer> for PrintableFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&printable::line(&text))
    }
}
