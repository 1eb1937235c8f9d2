//! The effect on clients of workers that crash, hang or are replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_lc_rs::rand;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::load::{Connections, Load, load_while, panicked};
use crate::quote_service::QuoteService;
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

const CLIENTS: usize = 8;

/// The duration of the undisturbed load, for comparison.
const QUIET: Duration = Duration::from_secs(2);

/// The longest time of a disturbance, whose workers may not come back.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// A repeated disturbance of workers.
struct Disturbance {
    what: &'static str,
    times: u32,
    pause: Duration,
    /// Returns false if there was no worker to disturb.
    apply: fn(&QuoteService) -> anyhow::Result<bool>,
    worker_timeout: &'static str,
}

const DISTURBANCES: [Disturbance; 3] = [
    Disturbance {
        what: "kill -9 of a worker, every 20 ms",
        times: 100,
        pause: Duration::from_millis(20),
        apply: |service| signal_worker(service, Signal::KILL),
        worker_timeout: "--worker-timeout=3s",
    },
    Disturbance {
        what: "SIGHUP, every 100 ms",
        times: 30,
        pause: Duration::from_millis(100),
        apply: |service| service.signal(Signal::HUP).map(|()| true),
        worker_timeout: "--worker-timeout=3s",
    },
    Disturbance {
        what: "SIGSTOP of a worker, every second",
        times: 5,
        pause: Duration::from_secs(1),
        apply: |service| signal_worker(service, Signal::STOP),
        worker_timeout: "--worker-timeout=300ms",
    },
];

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    DISTURBANCES.iter().try_for_each(|disturbance| disturbance.measure(table))
}

impl Disturbance {
    fn measure(&self, table: &mut Table) -> anyhow::Result<()> {
        let workers = ["--platform=software", "--isolate", "--workers=2", self.worker_timeout];
        let setup = Setup::start(&workers)?;
        let (quiet, ()) = load_during(&setup, || {
            thread::sleep(QUIET);
            Ok(())
        })?;
        let (disturbed, times) = load_during(&setup, || self.disturb(&setup.service))?;
        let what = format!("{times} of {} × {}", self.times, self.what);
        table.add(failed(&quiet, "undisturbed"));
        table.add(failed(&disturbed, &what));
        for (name, percent) in [("p50", 50), ("p99", 99), ("longest", 100)] {
            let what = format!("{name} of quotes, {CLIENTS} clients, {what}");
            let [quiet, disturbed] = [&quiet, &disturbed].map(|load| load.latency(percent));
            let row = Row::new(what, Figure::Time(disturbed));
            table.add(row.compared_with("undisturbed", Figure::Time(quiet)));
        }
        Ok(())
    }

    /// Returns the number of disturbances.
    fn disturb(&self, service: &QuoteService) -> anyhow::Result<u32> {
        let (begin, mut times) = (Instant::now(), 0);
        while times < self.times && begin.elapsed() < TIME_LIMIT {
            times += u32::from((self.apply)(service)?);
            thread::sleep(self.pause);
        }
        Ok(times)
    }
}

/// Runs clients that never retry until `disturb` returns.
fn load_during<T>(
    Setup { service, quote, .. }: &Setup,
    disturb: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(Load, T)> {
    let done = AtomicBool::new(false);
    let keep_going = || !done.load(Ordering::Relaxed);
    let request = quote.as_request();
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            load_while(keep_going, CLIENTS, Connections::OneEach, service.socket(), &request)
        });
        let disturbed = disturb();
        done.store(true, Ordering::Relaxed);
        let load = load.join().map_err(panicked)??;
        Ok((load, disturbed?))
    })
}

fn failed(load: &Load, when: &str) -> Row {
    let (failed, requests) = (load.failures().len(), load.requests());
    let reason = load.failures().first().map_or_else(String::new, |error| format!(": {error}"));
    let what = format!("failed of {requests} quotes, {CLIENTS} clients, {when}{reason}");
    Row::new(what, Figure::Count(failed)).promised("none", 0.0)
}

/// Sends a signal to one of the workers, ready or not. False if there is none.
fn signal_worker(service: &QuoteService, signal: Signal) -> anyhow::Result<bool> {
    let Some(worker) = any(&service.workers()?)? else { return Ok(false) };
    match kill_process(worker, signal) {
        Ok(()) => Ok(true),
        // It has just exited.
        Err(Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A random one of these.
fn any(workers: &[Pid]) -> anyhow::Result<Option<Pid>> {
    let mut random = [0];
    rand::fill(&mut random).ok().context("the system has no random numbers")?;
    let [random] = random.map(usize::from);
    Ok(random.checked_rem(workers.len()).and_then(|index| workers.get(index)).copied())
}
