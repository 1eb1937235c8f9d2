//! Half of what the service can do, for a long time: no quote fails, and nothing grows.

mod growth;
mod pace;
mod verifier;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::application::Library;
use crate::load::{Load, load_during};
use crate::support::{Machine, SERVE, Serve};
use growth::{Sample, tell_growth};
use pace::Paced;
use verifier::Verifier;

/// For how long it is measured how much the service can do.
const SATURATION: Duration = Duration::from_secs(5);

/// The interval of the samples of memory and descriptors, and the time after which they must not
/// grow.
const LOOK: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(60);

/// Accepted growth over the whole time: in bytes, and in descriptors.
const MEMORY_GROWTH: f64 = 2e6;
const DESCRIPTOR_GROWTH: f64 = 1.0;

#[test]
#[ignore = "takes half an hour: just soak"]
fn nothing_grows() {
    let time = Duration::from_secs(60 * setting("SOAK_MINUTES").parse::<u64>().unwrap_or(30));
    let machine = Machine::new();
    let serve =
        Serve::start(&mut machine.command(&format!("{SERVE} {}", setting("SOAK_ARGUMENTS"))));
    let (saturated, ()) =
        load_during(Library::Fortanix, &machine.socket(), |_| thread::sleep(SATURATION));
    let rate = saturated.quotes() as f64 / SATURATION.as_secs_f64();
    println!("\nat most {rate:.0} quotes/s; {time:?} of half of that:");
    let verifier = Arc::new(Verifier::new(&machine.path("state")));
    let paced = Paced::start(&machine.socket(), rate / 2.0, &verifier);
    let samples = samples(&serve, time);
    let load = paced.stop();
    tell(&load, time, verifier.verified());
    let grown = tell_growth(&samples);
    assert_eq!(load.troubles(), []);
    assert!(grown.memory < MEMORY_GROWTH && grown.descriptors < DESCRIPTOR_GROWTH, "{grown:?}");
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn samples(serve: &Serve, time: Duration) -> Vec<Sample> {
    let (begin, mut samples) = (Instant::now(), Vec::new());
    while begin.elapsed() < time {
        thread::sleep(LOOK.min(time));
        if begin.elapsed() > WARM_UP.min(time / 4) {
            samples.push(Sample::of(serve, begin.elapsed()));
        }
    }
    samples
}

fn tell(load: &Load, time: Duration, verified: usize) {
    let [p50, p99, longest] = [50, 99, 100].map(|percent| load.latency(percent));
    let rate = load.quotes() as f64 / time.as_secs_f64();
    println!(
        "{} quotes, {rate:.0}/s, {} failed; {verified} verified",
        load.quotes(),
        load.failures()
    );
    println!("p50 {p50:.1?}, p99 {p99:.1?}, longest {longest:.1?}, from when they were due");
}
