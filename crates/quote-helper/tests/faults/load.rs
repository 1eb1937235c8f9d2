//! Applications in a closed loop, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::application::{Application, Library};
use crate::trouble::Trouble;

/// Applications that ask at the same time.
pub(crate) const APPLICATIONS: usize = 8;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// After a failure an application waits for a moment, rather than to fail thousands of times.
const PAUSE: Duration = Duration::from_millis(2);

/// Quotes and errors that applications got.
#[derive(Default)]
pub(crate) struct Load {
    /// The latency of each quote; sorted when the load is over.
    latencies: Vec<Duration>,
    troubles: BTreeMap<Trouble, usize>,
}

impl Load {
    pub(crate) fn quotes(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn failures(&self) -> usize {
        self.troubles.values().sum()
    }

    /// Each kind of failure there was, in a fixed order.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        self.troubles.keys().copied().collect()
    }

    /// The time that so many percent of the quotes did not take longer than.
    pub(crate) fn latency(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, outcome: Result<Duration, Trouble>) {
        match outcome {
            Ok(latency) => self.latencies.push(latency),
            Err(trouble) => *self.troubles.entry(trouble).or_default() += 1,
        }
    }

    /// Ready to tell percentiles.
    pub(crate) fn sorted(mut self) -> Self {
        self.latencies.sort_unstable();
        self
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.latencies.extend(other.latencies);
        for (trouble, times) in other.troubles {
            *self.troubles.entry(trouble).or_default() += times;
        }
        self
    }
}

/// The progress of a running load.
#[derive(Default)]
pub(crate) struct Progress {
    quotes: AtomicU64,
    failures: AtomicU64,
    over: AtomicBool,
    noted: Mutex<Load>,
}

impl Progress {
    /// Waits until each application could have had a further quote.
    #[track_caller]
    pub(crate) fn of_quotes(&self) {
        Self::of(&self.quotes, "quotes are made");
    }

    /// Waits until each application could have failed to get one.
    #[track_caller]
    pub(crate) fn of_failures(&self) {
        Self::of(&self.failures, "quotes fail");
    }

    /// Counts what somebody else got.
    pub(crate) fn note(&self, outcome: Result<Duration, Trouble>) {
        self.noted.lock().add(outcome);
    }

    #[track_caller]
    fn of(number: &AtomicU64, what: &str) {
        let (begin, before) = (Instant::now(), number.load(Ordering::Relaxed));
        while number.load(Ordering::Relaxed) < before + 2 * APPLICATIONS as u64 {
            assert!(begin.elapsed() < PATIENCE, "{what}: it does not come to that");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Has applications ask, each for one quote after the other, until `disturb` is done.
pub(crate) fn load_during<T>(
    library: Library,
    socket: &Path,
    disturb: impl FnOnce(&Progress) -> T,
) -> (Load, T) {
    let progress = Arc::new(Progress::default());
    let start = |_| {
        let (progress, socket) = (Arc::clone(&progress), socket.to_owned());
        // Not scoped: where the test fails, nobody waits for applications that wait for a service
        // which hangs.
        thread::spawn(move || ask(&Application::new(library, &socket), &progress))
    };
    let applications: Vec<_> = (0..APPLICATIONS).map(start).collect();
    let ends = Ends(&progress);
    let result = disturb(&progress);
    drop(ends);
    let noted = std::mem::take(&mut *progress.noted.lock());
    let loads = applications.into_iter().map(|application| application.join().unwrap());
    (loads.fold(noted, Load::and).sorted(), result)
}

fn ask(application: &Application, progress: &Progress) -> Load {
    let mut load = Load::default();
    while !progress.over.load(Ordering::Relaxed) {
        let (number, begin) = (progress.quotes.load(Ordering::Relaxed), Instant::now());
        let outcome = application.quote(number).map(|_| begin.elapsed());
        if outcome.is_ok() {
            progress.quotes.fetch_add(1, Ordering::Relaxed);
        } else {
            progress.failures.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
        load.add(outcome);
    }
    load
}

/// Ends the load when it is dropped.
struct Ends<'a>(&'a Progress);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}
