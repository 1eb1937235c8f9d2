//! The cost of workers, and the speed-up of several.

use test_support::provider::Provider;

use crate::figures::medians;
use crate::load::Connections;
use crate::quote_service::SOFTWARE;
use crate::saturation::Cost;
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

/// With few clients, service and workers are sometimes idle, and waking them is part of the cost;
/// with many, they are always busy.
const FEW: usize = 8;
const MANY: usize = 64;

const NO_WORKER: &str = "no worker";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    hop(table)?;
    slow_library(table)
}

/// The round trip from the service to a worker and back.
fn hop(table: &mut Table) -> anyhow::Result<()> {
    let setups = [
        Setup::start(SOFTWARE)?,
        Setup::start(&["--platform=software", "--isolate", "--workers=1"])?,
        Setup::start(&["--platform=software", "--isolate", "--workers=2"])?,
    ];
    compare(table, &setups, FEW)?;
    compare(table, &setups, MANY)
}

fn compare(table: &mut Table, setups: &[Setup; 3], clients: usize) -> anyhow::Result<()> {
    let [none, one, two] = setups;
    let cost = |setup| Cost::of_quote(setup, clients, Connections::OneEach);
    let [cpu_none, cpu_one, cpu_two, none, one, two] = medians(|| {
        let [none, one, two] = [cost(none)?, cost(one)?, cost(two)?];
        Ok([none.cpu_time, one.cpu_time, two.cpu_time, none.time, one.time, two.time])
    })?;
    for (workers, cpu_time) in [("1 worker", cpu_one), ("2 workers", cpu_two)] {
        let what = format!("CPU time per quote, {clients} clients, {workers}");
        let row = Row::new(what, Figure::Time(cpu_time));
        let row = row.compared_with(NO_WORKER, Figure::Time(cpu_none));
        table.add(row.promised("at most 1.3", 1.3));
    }
    for (workers, time) in [("1 worker", one), ("2 workers", two)] {
        let what = format!("quotes, {clients} clients, {workers}");
        table.add(Row::new(what, Figure::rate(time)).compared_with(NO_WORKER, Figure::rate(none)));
    }
    Ok(())
}

/// Workers that mostly wait, as for Intel's QE.
fn slow_library(table: &mut Table) -> anyhow::Result<()> {
    let provider = Provider::build();
    provider.fault("sgx_ql_get_quote sleep 5");
    let library = format!("--dcap-library={}", provider.library().display());
    let start = |workers| Setup::start(&["--platform=dcap", &library, workers]);
    let setups = [start("--workers=1")?, start("--workers=2")?, start("--workers=4")?];
    let time = |setup| anyhow::Ok(Cost::of_quote(setup, MANY, Connections::OneEach)?.time);
    let [one, two, four] = &setups;
    let [one, two, four] = medians(|| Ok([time(one)?, time(two)?, time(four)?]))?.map(Figure::rate);
    let row = |workers, rate| {
        let what = format!("quotes of a library that takes 5 ms, {MANY} clients, {workers}");
        Row::new(what, rate)
    };
    table.add(row("1 worker", one));
    table.add(row("2 workers", two).compared_with("1 worker", one));
    table.add(row("4 workers", four).compared_with("1 worker", one));
    Ok(())
}
