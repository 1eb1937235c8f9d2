//! What SPECIFICATION.md promises in numbers, measured on the real binaries and printed as a Markdown
//! table: `cargo bench --package quote-helper`. It takes two minutes, and the time to build
//! `libsgx_quote_ex`.
//!
//! Times depend on the machine, so promises about them are ratios of two figures of one run. All
//! figures of a ratio are measured in turn, several times over, and the median of each counts.
//! The load comes from threads of this process, which share the machine with the service.

#![expect(clippy::arithmetic_side_effects, reason = "sums of measured values, far from any limit")]
#![expect(clippy::print_stdout, reason = "the table is all that this program is for")]

mod c_library;
mod cpu_time;
mod disturbances;
mod figures;
mod floor;
mod load;
mod memory;
#[path = "../../../quoting/tests/provider/mod.rs"]
#[expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests share it, and fail by panicking"
)]
mod provider;
mod quote_service;
mod responsiveness;
mod saturation;
mod setup;
mod start;
mod table;
mod workers;

use crate::table::Table;

fn main() -> anyhow::Result<()> {
    let mut table = Table::default();
    saturation::measure(&mut table)?;
    responsiveness::measure(&mut table)?;
    memory::measure(&mut table)?;
    start::measure(&mut table)?;
    workers::measure(&mut table)?;
    disturbances::measure(&mut table)?;
    c_library::measure(&mut table)?;
    let cores = std::thread::available_parallelism()?;
    println!("`cargo bench --package quote-helper` on a machine with {cores} cores:\n\n{table}");
    Ok(())
}
