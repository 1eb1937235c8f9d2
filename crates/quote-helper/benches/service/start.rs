//! The time from the start of a service with existing state to its first quote.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::figures::median;
use crate::quote_service::{QuoteRequest, QuoteService, SOFTWARE};
use crate::table::{Figure, Row, Table};

const STARTS: usize = 10;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    // The QE's target info stays the same, so that a REPORT made before the start is valid after
    // it.
    let quote = QuoteRequest::prepare(&QuoteService::start(directory.path(), SOFTWARE)?)?;
    let starts = (0..STARTS).map(|_| first_quote(directory.path(), &quote));
    let time = Figure::Time(median(starts.collect::<Result<_, _>>()?));
    let what = "start of the process to first quote, with state";
    table.add(Row::new(what, time).promised("under 100 ms", 100.0));
    Ok(())
}

fn first_quote(directory: &Path, quote: &QuoteRequest) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let service = QuoteService::spawn(directory, SOFTWARE)?;
    service.call_when_ready(&quote.as_request())?;
    Ok(start.elapsed())
}
