//! Simulated time: tokio's paused clock, which advances when all tasks are idle.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The polling interval.
const STEP: Duration = Duration::from_millis(50);
/// The maximum wait: longer than every wait of the plugin.
const DEADLINE: Duration = Duration::from_secs(60);

/// Makes each step of simulated time last at least a millisecond, so that it does not overtake the
/// test's connections.
pub(crate) fn pace() {
    tokio::spawn(async {
        loop {
            sleep(STEP).await;
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Waits for the condition.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFnMut() -> bool) {
    within(DEADLINE, what, is_so).await;
}

/// Waits for the condition, for this time at most.
pub(crate) async fn within(time: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + time;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(STEP).await;
    }
}

/// Checks that the condition holds for this time.
pub(crate) async fn stays(time: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert!(is_so().await, "not for long: {what}");
        sleep(STEP).await;
    }
}

/// Waits for the condition, for this time at most, and checks that it then holds.
pub(crate) async fn settles(time: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + time;
    let mut since = Instant::now();
    while since.elapsed() < DEADLINE / 2 {
        if !is_so().await {
            since = Instant::now();
            assert!(since < deadline, "not in time, or not for long: {what}");
        }
        sleep(STEP).await;
    }
}
