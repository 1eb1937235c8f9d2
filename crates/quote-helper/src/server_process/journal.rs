//! Lines of the log for systemd's journal, which has the time of each and knows their priorities:
//! see sd-daemon(3).

use std::fmt;
use std::io::stderr;

use rustix::fs::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// True if standard error leads to the journal: systemd names the device and inode of its stream in
/// `JOURNAL_STREAM`, see systemd.exec(5).
pub(super) fn is_standard_error() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(stderr()).is_ok_and(|stream| named == format!("{}:{}", stream.st_dev, stream.st_ino))
}

/// Events without their time, after their priority.
pub(super) struct JournalLines(Format<Full, ()>);

impl Default for JournalLines {
    fn default() -> Self {
        Self(Format::default().without_time().with_target(false))
    }
}

impl<S, N> FormatEvent<S, N> for JournalLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(context, writer, event)
    }
}
