//! Processes that are there and do nothing.

use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::application::Application;
use crate::fault::{Fault, Needs, Outcome, check};
use crate::site::Site;
use crate::support::eventually;
use crate::trouble::Trouble;

/// The time for which the service is stopped, and the timeout of an impatient client.
const STOPPED: Duration = Duration::from_secs(2);
const IMPATIENT: Duration = Duration::from_millis(500);

#[test]
#[ignore = "just faults"]
fn faults_of_stopped_processes() {
    let worker = |name, note, happen| Fault {
        note,
        ..Fault::new(name, "replacing a worker", "recovers by itself", happen)
    };
    check(&[
        worker("a worker hangs (SIGSTOP)", ", some after the worker timeout", || workers_stop(1)),
        worker("all workers hang", ", after the worker timeout", || workers_stop(2)),
        Fault {
            name: "the service hangs (SIGSTOP) for 2 s",
            needs: Needs::Nothing,
            troubles: &[Trouble::Silence],
            note: " for clients that wait less, every quote for all others",
            log: "",
            afterwards: "continues; systemd's `WatchdogSec=` or a liveness probe restarts a \
                         service that hangs for good",
            happen: service_stops,
        },
    ]);
}

fn workers_stop(stopped: usize) -> Outcome {
    let mut site = Site::new("--isolate --workers 2 --worker-timeout 300ms");
    let load = site.during(|site, progress| {
        eventually("all workers are there", || site.serve().children().len() == 2);
        let workers = site.serve().children();
        workers
            .iter()
            .take(stopped)
            .for_each(|worker| kill_process(*worker, Signal::STOP).unwrap());
        let running = || site.serve().children();
        eventually("they are replaced", || {
            !workers[..stopped].iter().any(|old| running().contains(old))
        });
        progress.of_quotes();
    });
    site.outcome(load)
}

fn service_stops() -> Outcome {
    let mut site = Site::new("");
    let load = site.during(|site, progress| {
        site.serve().signal(Signal::STOP);
        let impatient = Application::impatient(&site.machine.socket(), IMPATIENT);
        let outcome = impatient.quote(1).map(|_| IMPATIENT);
        thread::sleep(STOPPED - IMPATIENT);
        site.serve().signal(Signal::CONT);
        progress.of_quotes();
        progress.note(outcome);
    });
    site.outcome(load)
}
