//! What SPECIFICATION.md promises in numbers, measured on the real binary and printed as a Markdown
//! table: `cargo bench --package quote-helper`, under a minute.
//!
//! Times depend on the machine, so promises about them are ratios of two figures of one run. All
//! figures of a ratio are measured in turn, several times over, and the median of each counts.
//! The load comes from threads of this process, which share the machine with the service.

#![expect(clippy::arithmetic_side_effects, reason = "sums of measured values, far from any limit")]
#![expect(clippy::print_stdout, reason = "the table is all that this program is for")]

mod cpu_time;
mod figures;
mod floor;
mod load;
mod memory;
mod quote_service;
mod responsiveness;
mod saturation;
mod start;
mod table;

use crate::table::Table;

fn main() -> anyhow::Result<()> {
    let mut table = Table::default();
    saturation::measure(&mut table)?;
    responsiveness::measure(&mut table)?;
    memory::measure(&mut table)?;
    start::measure(&mut table)?;
    let cores = std::thread::available_parallelism()?;
    println!("`cargo bench --package quote-helper` on a machine with {cores} cores:\n\n{table}");
    Ok(())
}
