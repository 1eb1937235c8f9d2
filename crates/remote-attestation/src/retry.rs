//! Retries: containers start in any order.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Retries `attempt` until it succeeds, an error is not transient, or the timeout passes.
pub(crate) fn retry<T, E>(
    timeout: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
    is_transient: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_transient(&error) && begin.elapsed() < timeout => sleep(PAUSE),
            outcome => return outcome,
        }
    }
}
