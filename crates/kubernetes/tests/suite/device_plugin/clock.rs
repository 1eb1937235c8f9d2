//! Time in these tests: tokio's paused clock, which is moved on when nobody has anything to do.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often one looks whether something is so.
const STEP: Duration = Duration::from_millis(50);
/// How long something may take: longer than all that the plugin waits for.
const DEADLINE: Duration = Duration::from_secs(60);

/// Makes a step of this test's time last no less than a millisecond: what the system has under way for
/// the test's connections is not overtaken.
pub(crate) fn pace() {
    tokio::spawn(async {
        loop {
            sleep(STEP).await;
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFnMut() -> bool) {
    within(DEADLINE, what, is_so).await;
}

/// Waits until it is so, which must be before this time has passed.
pub(crate) async fn within(time: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + time;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(STEP).await;
    }
}

/// Watches for this time that it stays so.
pub(crate) async fn stays(time: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert!(is_so().await, "not for long: {what}");
        sleep(STEP).await;
    }
}

/// Waits until it is so, which must be before this time has passed, and stays so for long.
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
