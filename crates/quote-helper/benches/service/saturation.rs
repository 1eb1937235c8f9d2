//! The cost of a quote at saturation.

use std::path::Path;
use std::time::Duration;

use aesm::{Client, Request, Response};

use crate::figures::medians;
use crate::floor::{MinimalServer, bare_signature};
use crate::load::{Connections, load};
use crate::quote_service::{QuoteService, SOFTWARE};
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

const CLIENTS: usize = 8;
const TIME: Duration = Duration::from_millis(1_700);

const ALONE: &str = "signature, alone";
const BUSY: &str = "signature, every core busy";
const MINIMAL: &str = "minimal server";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let setup = &Setup::start(SOFTWARE)?;
    let cores = std::thread::available_parallelism()?.get();
    let [alone, busy, minimal, one_each, kept] = medians(|| {
        Ok([
            bare_signature(1)?,
            bare_signature(cores)?,
            minimal_server(&setup.service, &setup.quote.as_request())?,
            Cost::of_quote(setup, CLIENTS, Connections::OneEach)?.cpu_time,
            Cost::of_quote(setup, CLIENTS, Connections::Kept)?.cpu_time,
        ])
    })?
    .map(Figure::Time);
    let row = |what: &str, figure| Row::new(format!("CPU time per {what}"), figure);
    table.add(row("bare P-256 signature, every core busy", busy).compared_with(ALONE, alone));
    table.add(row("reply of a minimal server, 8 clients", minimal).compared_with(BUSY, busy));
    let what = "quote, 8 clients, one connection each";
    let promise = "at most 2.0";
    table.add(row(what, one_each).compared_with(ALONE, alone).promised(promise, 2.0));
    table.add(row(what, one_each).compared_with(BUSY, busy).promised(promise, 2.0));
    table.add(row(what, one_each).compared_with(MINIMAL, minimal));
    table.add(row("quote, 8 clients, connections kept", kept).compared_with(BUSY, busy));
    rates(table, setup)
}

fn rates(table: &mut Table, setup: &Setup) -> anyhow::Result<()> {
    let rate = |clients| -> anyhow::Result<_> {
        Ok(Figure::rate(Cost::of_quote(setup, clients, Connections::OneEach)?.time))
    };
    let (one, eight) = (rate(1)?, rate(CLIENTS)?);
    table.add(Row::new("quotes, 1 client", one));
    table.add(Row::new("quotes, 8 clients", eight).compared_with("1 client", one));
    Ok(())
}

/// The cost of a quote under load.
pub(crate) struct Cost {
    /// CPU time of the service and its workers.
    pub(crate) cpu_time: Duration,
    /// Time per quote of all clients together.
    pub(crate) time: Duration,
}

impl Cost {
    pub(crate) fn of_quote(
        Setup { service, quote, .. }: &Setup,
        clients: usize,
        connections: Connections,
    ) -> anyhow::Result<Self> {
        let before = service.cpu_time()?;
        let load = load(clients, TIME, connections, service.socket(), &quote.as_request())?;
        let quotes = u32::try_from(load.requests())?;
        let cpu_time = (service.cpu_time()? - before) / quotes.max(1);
        Ok(Self { cpu_time, time: load.time_per_request() })
    }
}

/// The CPU time per request of a minimal server under the same load, with replies of the same size.
fn minimal_server(service: &QuoteService, quote: &Request<'_>) -> anyhow::Result<Duration> {
    let payload = Client::new(service.socket()).call(quote)?;
    let reply = Response { error: None, payload }.to_frame();
    let directory = tempfile::tempdir()?;
    let socket: &Path = &directory.path().join("minimal.socket");
    let server = MinimalServer::start(socket, reply)?;
    load(CLIENTS, TIME, Connections::OneEach, socket, quote)?;
    server.stop(socket)
}
