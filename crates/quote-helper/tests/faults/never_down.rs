//! Upgrades, restarts and kills under load, a hundred times each, and the quotes that fail by them:
//! none.

mod disturbance;
pub(crate) mod service;

use std::thread;
use std::time::Duration;

use crate::load::{Load, load_during};
use disturbance::{DISTURBANCES, Disturbance};

const TIMES: usize = 100;

/// For how long nothing happens, for comparison.
const UNDISTURBED: Duration = Duration::from_secs(5);

#[test]
#[ignore = "takes minutes: just never-down"]
fn no_quote_fails() {
    println!("\n| {TIMES} × | quotes | failed | p50 | p99 | longest |\n|---|--:|--:|--:|--:|--:|");
    let broken: Vec<_> = DISTURBANCES.iter().filter(|disturbance| !holds(disturbance)).collect();
    let broken: Vec<_> = broken.into_iter().map(|disturbance| disturbance.what).collect();
    assert!(broken.is_empty(), "quotes failed: {broken:?}");
}

/// Prints what applications notice of it, and says whether what is promised holds.
fn holds(disturbance: &Disturbance) -> bool {
    let mut service = (disturbance.start)();
    let (library, socket) = (disturbance.library, service.socket());
    let (quiet, ()) = load_during(library, &socket, |_| thread::sleep(UNDISTURBED));
    let (disturbed, ()) = load_during(library, &socket, |progress| {
        for _ in 0..TIMES {
            (disturbance.happen)(&mut service);
            progress.of_quotes();
        }
    });
    print(disturbance.what, &disturbed);
    print("– undisturbed", &quiet);
    quiet.failures() == 0 && (disturbed.failures() == 0 || !disturbance.promised)
}

pub(crate) fn print(what: &str, load: &Load) {
    let [p50, p99, longest] =
        [50, 99, 100].map(|percent| load.latency(percent).as_secs_f64() * 1e3);
    let (quotes, failures) = (load.quotes(), load.failures());
    let kinds: Vec<_> = load.troubles().iter().map(|trouble| format!(", {trouble}")).collect();
    let failures = format!("{failures}{}", kinds.concat());
    println!("| {what} | {quotes} | {failures} | {p50:.2} ms | {p99:.1} ms | {longest:.0} ms |");
}
