//! Applications that ask when it is time to, whether or not there has been an answer to others.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::verifier::Verifier;
use crate::application::{Application, Library};
use crate::load::Load;

/// Applications: enough for there to be one that has nothing to do when it is time.
const APPLICATIONS: usize = 16;

/// One in so many quotes is verified.
const VERIFIED: u64 = 1_000;

/// Applications at work.
pub(super) struct Paced {
    schedule: Arc<Schedule>,
    applications: Vec<JoinHandle<Load>>,
}

/// The time at which each quote is due, by its number.
struct Schedule {
    begin: Instant,
    interval: Duration,
    next: AtomicU64,
    over: AtomicBool,
}

impl Paced {
    /// So many quotes in a second, all together.
    pub(super) fn start(socket: &Path, rate: f64, verifier: &Arc<Verifier>) -> Self {
        let schedule = Arc::new(Schedule {
            begin: Instant::now(),
            interval: Duration::from_secs_f64(1.0 / rate),
            next: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let start = |_| {
            let (schedule, verifier) = (Arc::clone(&schedule), Arc::clone(verifier));
            let application = Application::new(Library::Fortanix, socket);
            thread::spawn(move || ask(&application, &schedule, &verifier))
        };
        let applications = (0..APPLICATIONS).map(start).collect();
        Self { schedule, applications }
    }

    pub(super) fn stop(self) -> Load {
        self.schedule.over.store(true, Ordering::Relaxed);
        let loads = self.applications.into_iter().map(|application| application.join().unwrap());
        loads.fold(Load::default(), Load::and).sorted()
    }
}

fn ask(application: &Application, schedule: &Schedule, verifier: &Verifier) -> Load {
    let mut load = Load::default();
    while !schedule.over.load(Ordering::Relaxed) {
        let number = schedule.next.fetch_add(1, Ordering::Relaxed);
        let due = schedule.begin + schedule.interval.mul_f64(number as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let quote = application.quote(number);
        load.add(quote.as_ref().map(|_| due.elapsed()).map_err(|trouble| *trouble));
        if let (0, Ok(quote)) = (number % VERIFIED, quote) {
            verifier.verify(&quote);
        }
    }
    load
}
