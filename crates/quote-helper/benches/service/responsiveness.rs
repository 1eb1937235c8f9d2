//! The latency of requests that are answered from memory while quotes are made.

use std::time::Duration;

use aesm::Request;

use crate::figures::medians;
use crate::load::{Connections, during, load};
use crate::quote_service::{QuoteService, SOFTWARE};
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

const TIME: Duration = Duration::from_millis(1_000);
const CLIENTS: usize = 8;
const CHEAP: Request<'_> = Request::GetSupportedAttKeyIdNum;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let Setup { service, quote, .. } = &Setup::start(SOFTWARE)?;
    let [quiet, with_quotes, with_cheap] = medians(|| {
        Ok([
            latency(service)?,
            during(|| saturate(service, &quote.as_request()), || latency(service))?,
            during(|| saturate(service, &CHEAP), || latency(service))?,
        ])
    })?
    .map(Figure::Time);
    let row = |situation, figure| Row::new(format!("p99 of key id number, {situation}"), figure);
    table.add(row("quiet", quiet));
    let saturated = "8 more clients ask for the same";
    table.add(row(saturated, with_cheap).compared_with("quiet", quiet));
    let quoting = "8 clients ask for quotes";
    table.add(row(quoting, with_quotes).compared_with("quiet", quiet));
    table.add(row(quoting, with_quotes).compared_with(saturated, with_cheap));
    Ok(())
}

fn latency(service: &QuoteService) -> anyhow::Result<Duration> {
    Ok(load(1, TIME, Connections::OneEach, service.socket(), &CHEAP)?.latency(99))
}

fn saturate(service: &QuoteService, request: &Request<'_>) -> anyhow::Result<crate::load::Load> {
    let time = TIME + Duration::from_millis(400);
    load(CLIENTS, time, Connections::OneEach, service.socket(), request)
}
