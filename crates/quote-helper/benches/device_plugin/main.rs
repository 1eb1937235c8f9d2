//! Growth of the device plugin with the enclave memory, measured on the real binary and printed as
//! a Markdown table: `cargo bench --package quote-helper --bench device_plugin`. It takes some
//! seconds.
//!
//! The kubelet's part is played in this process, which shares the machine with the plugin.

#![expect(clippy::arithmetic_side_effects, reason = "sums of measured values, far from any limit")]
#![expect(clippy::print_stdout, reason = "the table is all that this program is for")]

#[path = "../service/figures.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest")]
mod figures;
mod kubelet;
mod plugin;
#[path = "../service/table.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest")]
mod table;

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::figures::median;
use crate::kubelet::Kubelet;
use crate::plugin::Plugin;
use crate::table::{Figure, Row, Table};

/// The number of allocations for a container of usual size.
const ALLOCATIONS: usize = 200;
/// The devices that such a container has.
const USUAL: usize = 10;

/// The figures for a number of devices.
struct Measured {
    devices: usize,
    times: [Duration; 4],
    resident: Figure,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let small = measure(8_192).await?;
    let large = measure(262_144).await?;
    let mut table = Table::default();
    let whats = [
        "start to registered",
        "start to the list read",
        "Allocate of 10 devices to its answer",
        "Allocate of all devices to its answer",
    ];
    for (index, what) in whats.into_iter().enumerate() {
        let [small_time, large_time] = [&small, &large].map(|it| it.times.get(index).copied());
        let row = Row::new(format!("{what}, {} devices", large.devices), time(large_time));
        table.add(row.compared_with("8192 devices", time(small_time)));
    }
    table.add(
        Row::new(format!("resident, {} devices", small.devices), small.resident)
            .promised("under 20 MB", 20.0),
    );
    let row = Row::new(format!("resident, {} devices", large.devices), large.resident);
    table.add(row.compared_with("8192 devices", small.resident));
    println!("{table}");
    Ok(())
}

/// The medians of three rounds; memory is that of the last one.
async fn measure(devices: usize) -> anyhow::Result<Measured> {
    let rounds = [round(devices).await?, round(devices).await?, round(devices).await?];
    let [.., (_, resident)] = rounds;
    let mut times = [Duration::ZERO; 4];
    for (index, time) in times.iter_mut().enumerate() {
        *time = median(rounds.iter().filter_map(|(times, _)| times.get(index)).copied().collect());
    }
    Ok(Measured { devices, times, resident })
}

/// Starts a plugin and gives out its devices.
async fn round(devices: usize) -> anyhow::Result<([Duration; 4], Figure)> {
    let directory = tempfile::tempdir()?;
    let mut kubelet = Kubelet::start(directory.path())?;
    let begin = Instant::now();
    let plugin = Plugin::start(directory.path(), devices)?;
    kubelet.registered().await?;
    let registered = begin.elapsed();
    let mut client = kubelet.connect().await?;
    let list = kubelet::list(&mut client).await?;
    let listed = begin.elapsed();
    ensure!(list.len() == devices, "{} devices are listed", list.len());
    let mut few = Vec::new();
    let usual = list.get(..USUAL).unwrap_or_default();
    for _ in 0..ALLOCATIONS {
        few.push(kubelet::allocate(&mut client, usual).await?);
    }
    let all = kubelet::allocate(&mut client, &list).await?;
    Ok(([registered, listed, median(few), all], plugin.resident()?))
}

fn time(time: Option<Duration>) -> Figure {
    Figure::Time(time.unwrap_or_default())
}
