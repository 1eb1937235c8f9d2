//! Waiting for others: containers start in any order.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Attempts something until it succeeds, or fails for good, or has failed for so long.
pub(crate) fn retry<T, E>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
    is_worth_another: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_worth_another(&error) && begin.elapsed() < patience => sleep(PAUSE),
            outcome => return outcome,
        }
    }
}
