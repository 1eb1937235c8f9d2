//! The cost of a cached response of the collateral server, and the rate of quotes while the
//! upstream is down, measured on the real binary and printed as a Markdown table: `cargo bench
//! --package quote-helper --bench collateral`. It takes a minute, and the build of the quote
//! provider library.
//!
//! The load generators share the machine with the server, so the figure for responses is the
//! server's CPU time, compared with a hello-world server on the same HTTP library.

#![expect(clippy::arithmetic_side_effects, reason = "sums of measured values, far from any limit")]
#![expect(clippy::print_stdout, reason = "the table is all that this program is for")]

#[path = "../service/cpu_time.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest")]
mod cpu_time;
#[path = "../service/figures.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest")]
mod figures;
mod load;
mod quotes;
mod server;
#[path = "../service/table.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest")]
mod table;
#[path = "../../tests/cli/quotes_without_upstream/upstream.rs"]
#[allow(dead_code, clippy::panic, clippy::unwrap_used, reason = "tests use it, too")]
mod upstream;

use std::time::Duration;

use crate::figures::{medians, medians_of};
use crate::load::load;
use crate::quotes::Machine;
use crate::server::{HELLO, Server, hello};
use crate::table::{Figure, Row, Table};
use crate::upstream::Upstream;

const HELLO_ROW: &str = "hello world";
/// Quotes are made by several processes at once, whose rate varies more than CPU time does.
const ROUNDS_OF_QUOTES: usize = 9;

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(HELLO) {
        return hello();
    }
    let mut table = Table::default();
    responses(&mut table)?;
    quotes(&mut table)?;
    println!("{table}");
    Ok(())
}

fn responses(table: &mut Table) -> anyhow::Result<()> {
    let (collateral, hello) = (Server::collateral()?, Server::hello()?);
    let [base, tcb_info, pck_certificate, root_ca_crl] = medians(|| {
        Ok([
            cost(&hello, "/")?,
            cost(&collateral, &collateral.tcb_info)?,
            cost(&collateral, &collateral.pck_certificate)?,
            cost(&collateral, "/sgx/certification/v4/rootcacrl")?,
        ])
    })?;
    table.add(Row::new("CPU time per hello world", Figure::Time(base)));
    for (what, time) in
        [("TCB info", tcb_info), ("PCK certificate", pck_certificate), ("root CA CRL", root_ca_crl)]
    {
        let row = || Row::new(format!("CPU time per cached {what}"), Figure::Time(time));
        table.add(row().promised("20,000/s and core, so at most 50 µs", 0.05));
        let compared = row().compared_with(HELLO_ROW, Figure::Time(base));
        table.add(compared.promised("at least half its rate, so at most 2.0", 2.0));
    }
    Ok(())
}

fn quotes(table: &mut Table) -> anyhow::Result<()> {
    let mut machine = Machine::new()?;
    let [alive, dead, hanging] = medians_of(ROUNDS_OF_QUOTES, || {
        Ok([
            machine.time_per_quote(Upstream::revive)?,
            machine.time_per_quote(Upstream::die)?,
            machine.time_per_quote(Upstream::hang)?,
        ])
    })?;
    table.add(Row::new("quotes, upstream there", Figure::rate(alive)));
    for (what, time) in [("dead", dead), ("hanging", hanging)] {
        table.add(Row::new(format!("quotes, upstream {what}"), Figure::rate(time)));
        let row = Row::new(format!("time per quote, upstream {what}"), Figure::Time(time));
        let compared = row.compared_with("upstream there", Figure::Time(alive));
        table.add(compared.promised("the same, so at most 1.1", 1.1));
    }
    Ok(())
}

/// The server's CPU time for one response under full load.
fn cost(server: &Server, path: &str) -> anyhow::Result<Duration> {
    let before = server.cpu_time()?;
    let responses = load(server.address(), path)?;
    Ok((server.cpu_time()? - before) / responses)
}
