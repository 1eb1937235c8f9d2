//! Memory and descriptors of a service, and their growth.

use std::fs;
use std::time::Duration;

use rustix::process::Pid;

use crate::support::Serve;

/// Memory and descriptors of the service and its workers at one moment.
pub(super) struct Sample {
    seconds: f64,
    resident: f64,
    private: f64,
    descriptors: f64,
}

/// The minimum growth from the first sample to the last: the rise of the line that fits them best,
/// less two standard errors of its slope. Each sample includes the use by clients at its time.
#[derive(Debug)]
pub(super) struct Growth {
    /// Private memory, in bytes.
    pub(super) memory: f64,
    pub(super) descriptors: f64,
}

impl Sample {
    pub(super) fn of(serve: &Serve, time: Duration) -> Self {
        let mut processes = serve.children();
        processes.push(serve.pid());
        let memory = |field| processes.iter().map(|pid| bytes(*pid, field)).sum();
        Self {
            seconds: time.as_secs_f64(),
            resident: memory("Rss:"),
            // Dirty pages alone: how much of a program's file is in memory is not up to the
            // program.
            private: memory("Private_Dirty:"),
            descriptors: processes.iter().map(|pid| descriptors(*pid)).sum(),
        }
    }
}

/// Prints one line for each quantity.
pub(super) fn tell_growth(samples: &[Sample]) -> Growth {
    tell("resident memory, kB", samples, |sample| sample.resident / 1e3);
    let memory = 1e3 * tell("private memory, kB", samples, |sample| sample.private / 1e3);
    Growth { memory, descriptors: tell("descriptors", samples, |sample| sample.descriptors) }
}

fn tell(what: &str, samples: &[Sample], quantity: impl Fn(&Sample) -> f64) -> f64 {
    let values: Vec<_> = samples.iter().map(&quantity).collect();
    let (first, last) = (values[0], values[values.len() - 1]);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let Slope { per_second, error } = slope(samples, &quantity);
    let span = samples[samples.len() - 1].seconds - samples[0].seconds;
    println!(
        "{what}: {first:.0} at first, {last:.0} at last, from {least:.0} to {most:.0}; slope {:+.1} ± {:.1} in an hour, by \
         {} samples in {span:.0} s",
        per_second * 3_600.0,
        2.0 * error * 3_600.0,
        samples.len()
    );
    (per_second - 2.0 * error) * span
}

/// Of a line through points, and its standard error.
struct Slope {
    per_second: f64,
    error: f64,
}

/// By least squares.
fn slope(samples: &[Sample], quantity: impl Fn(&Sample) -> f64) -> Slope {
    let number = samples.len() as f64;
    let mean = |value: &dyn Fn(&Sample) -> f64| samples.iter().map(value).sum::<f64>() / number;
    let (time, value) = (mean(&|sample| sample.seconds), mean(&|sample| quantity(sample)));
    let times: f64 = samples.iter().map(|sample| (sample.seconds - time).powi(2)).sum();
    let product = |sample: &Sample| (sample.seconds - time) * (quantity(sample) - value);
    let per_second = samples.iter().map(product).sum::<f64>() / times;
    let rest = |sample: &Sample| quantity(sample) - value - per_second * (sample.seconds - time);
    let rests: f64 = samples.iter().map(|sample| rest(sample).powi(2)).sum();
    Slope { per_second, error: (rests / (number - 2.0) / times).sqrt() }
}

/// A field of the memory map's summary, in bytes; none of a process that has ended.
fn bytes(pid: Pid, field: &str) -> f64 {
    let summary = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = summary.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0 kB");
    1_024.0 * line.split_whitespace().next().unwrap().parse::<f64>().unwrap()
}

fn descriptors(pid: Pid) -> f64 {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0.0, |files| files.count() as f64)
}
