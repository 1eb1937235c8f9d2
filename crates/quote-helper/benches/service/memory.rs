//! What the service keeps in memory, and what clients that do nothing cost.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::load::{Connections, Load, load};
use crate::quote_service::{QuoteRequest, QuoteService};
use crate::table::{Figure, Row, Table};

const QUOTES: usize = 10_000;
const IDLE_CONNECTIONS: u64 = 10_000;

/// Descriptors that are not connections, here and in the service.
const OTHER_DESCRIPTORS: u64 = 100;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let service = QuoteService::start(directory.path())?;
    let fresh = resident(&service)?;
    table.add(Row::new("resident, idle, just started", fresh).promised("under 15 MB", 15.0));
    let quote = QuoteRequest::prepare(&service)?;
    let ask = |clients, time| {
        load(clients, time, Connections::OneEach, service.socket(), &quote.as_request())
    };
    let mut quotes = 0;
    while quotes < QUOTES {
        quotes += ask(8, Duration::from_millis(200))?.requests();
    }
    let what = format!("resident, idle, after {quotes} quotes");
    table.add(Row::new(what, resident(&service)?).promised("under 15 MB", 15.0));
    let before = ask(1, Duration::from_secs(1))?;
    let idle = idle_connections(&service)?;
    // They are accepted in their order, so with this the idle ones are all in.
    let meanwhile = ask(1, Duration::from_secs(1))?;
    let connections = format!("{} idle connections", idle.len());
    let what = format!("resident, {connections}");
    table.add(Row::new(what, resident(&service)?).promised("under 100 MB", 100.0));
    latencies(table, &connections, &meanwhile, &before);
    drop(idle);
    Ok(())
}

fn latencies(table: &mut Table, connections: &str, meanwhile: &Load, before: &Load) {
    for percent in [50, 99] {
        let [meanwhile, before] =
            [meanwhile, before].map(|load| Figure::Time(load.latency(percent)));
        let what = format!("p{percent} of quotes, 1 client, {connections}");
        table.add(Row::new(what, meanwhile).compared_with("without them", before));
    }
}

fn resident(service: &QuoteService) -> anyhow::Result<Figure> {
    Ok(Figure::Megabytes(service.resident_megabytes()?))
}

/// As many as were promised, or as this process may open.
fn idle_connections(service: &QuoteService) -> anyhow::Result<Vec<UnixStream>> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let allowed = maximum.unwrap_or(u64::MAX).saturating_sub(OTHER_DESCRIPTORS);
    ensure!(allowed > 0, "the system allows no more open files");
    let connect = |_| Ok(UnixStream::connect(service.socket())?);
    (0..IDLE_CONNECTIONS.min(allowed)).map(connect).collect()
}
