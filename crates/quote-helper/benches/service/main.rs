//! The figures that SPECIFICATION.md promises, measured on the real binaries and printed as a
//! Markdown table: `cargo bench --package quote-helper`. It takes three minutes, and the time to
//! build `libsgx_quote_ex`; `--bench service -- hostile` measures one part.
//!
//! Times depend on the machine, so promises about them are ratios of two figures of one run. All
//! figures of a ratio are measured alternately in several rounds; the medians are printed.
//! The load comes from threads of this process, which share the machine with the service.

#![expect(clippy::arithmetic_side_effects, reason = "sums of measured values, far from any limit")]
#![expect(clippy::print_stdout, reason = "the table is all that this program is for")]

mod c_library;
mod cpu_time;
mod disturbances;
mod figures;
mod floor;
mod hostile;
mod load;
mod memory;
mod quote_service;
mod responsiveness;
mod saturation;
mod setup;
mod start;
mod table;
mod workers;

use crate::table::Table;

type Measure = fn(&mut Table) -> anyhow::Result<()>;

const MEASUREMENTS: [(&str, Measure); 8] = [
    ("saturation", saturation::measure),
    ("responsiveness", responsiveness::measure),
    ("memory", memory::measure),
    ("start", start::measure),
    ("workers", workers::measure),
    ("disturbances", disturbances::measure),
    ("hostile", hostile::measure),
    ("c_library", c_library::measure),
];

fn main() -> anyhow::Result<()> {
    if let Some(role) = hostile::Role::of_process() {
        return role.act();
    }
    let mut table = Table::default();
    for (name, measure) in MEASUREMENTS {
        if is_selected(name) {
            measure(&mut table)?;
        }
    }
    let cores = std::thread::available_parallelism()?;
    println!("`cargo bench --package quote-helper` on a machine with {cores} cores:\n\n{table}");
    Ok(())
}

/// True if the command line names this part, or none.
fn is_selected(name: &str) -> bool {
    let mut names =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|asked| asked == name)
}
