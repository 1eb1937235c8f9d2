//! The memory of the service, and of its idle clients.

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use aesm::Request;
use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::figures::medians;
use crate::load::{Connections, Load, load};
use crate::quote_service::{QuoteRequest, QuoteService, SOFTWARE};
use crate::table::{Figure, Row, Table};

const TIME: Duration = Duration::from_millis(500);
const QUOTES: usize = 10_000;
const IDLE_CONNECTIONS: u64 = 10_000;

/// Descriptors other than connections, here and in the service.
const OTHER_DESCRIPTORS: u64 = 100;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let service = QuoteService::start(directory.path(), SOFTWARE)?;
    let fresh = resident(&service)?;
    table.add(Row::new("resident, idle, just started", fresh).promised("under 15 MB", 15.0));
    let quote = QuoteRequest::prepare(&service)?;
    let quote = quote.as_request();
    let mut quotes = 0;
    while quotes < QUOTES {
        quotes += ask(&service, 8, &quote)?.requests();
    }
    let what = format!("resident, idle, after {quotes} quotes");
    table.add(Row::new(what, resident(&service)?).promised("under 15 MB", 15.0));
    with_idle_connections(table, &service, &quote)
}

fn with_idle_connections(
    table: &mut Table,
    service: &QuoteService,
    quote: &Request<'_>,
) -> anyhow::Result<()> {
    let mut idle = Vec::new();
    let [p50_before, p50, p99_before, p99] = medians(|| {
        idle.clear();
        // The time for the service to close them.
        thread::sleep(Duration::from_millis(200));
        let before = ask(service, 1, quote)?;
        idle = idle_connections(service)?;
        // Connections are accepted in order, so all idle ones are accepted before this reply.
        let meanwhile = ask(service, 1, quote)?;
        Ok([before.latency(50), meanwhile.latency(50), before.latency(99), meanwhile.latency(99)])
    })?
    .map(Figure::Time);
    let connections = format!("{} idle connections", idle.len());
    let what = format!("resident, {connections}");
    table.add(Row::new(what, resident(service)?).promised("under 100 MB", 100.0));
    for (name, meanwhile, before) in [("p50", p50, p50_before), ("p99", p99, p99_before)] {
        let what = format!("{name} of quotes, 1 client, {connections}");
        table.add(Row::new(what, meanwhile).compared_with("without them", before));
    }
    Ok(())
}

fn ask(service: &QuoteService, clients: usize, quote: &Request<'_>) -> anyhow::Result<Load> {
    load(clients, TIME, Connections::OneEach, service.socket(), quote)
}

fn resident(service: &QuoteService) -> anyhow::Result<Figure> {
    Ok(Figure::Megabytes(service.resident_megabytes()?))
}

/// The promised number of connections, or the most that this process may open.
fn idle_connections(service: &QuoteService) -> anyhow::Result<Vec<UnixStream>> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let allowed = maximum.unwrap_or(u64::MAX).saturating_sub(OTHER_DESCRIPTORS);
    ensure!(allowed > 0, "the system allows no more open files");
    let connect = |_| Ok(UnixStream::connect(service.socket())?);
    (0..IDLE_CONNECTIONS.min(allowed)).map(connect).collect()
}
