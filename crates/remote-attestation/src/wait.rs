//! Notes about waits: one that takes longer than two seconds names its subject, the last failure
//! and its end.

use std::fmt::Display;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

use crate::output;

/// The time before the first note.
const FIRST: Duration = Duration::from_secs(2);
/// The time between two notes.
const PERIOD: Duration = Duration::from_secs(10);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// A wait, which ends when this is dropped.
pub(crate) struct Wait {
    failures: Option<Sender<String>>,
    notes: Option<JoinHandle<()>>,
}

impl Wait {
    /// Begins a wait for `subject`, which lasts for `timeout` at most.
    pub(crate) fn begin(subject: String, timeout: Duration) -> Self {
        let until = SystemTime::now().checked_add(timeout);
        let (failures, failed) = channel();
        let notes = thread::Builder::new().spawn(move || take_notes(&subject, until, &failed));
        // Without a thread there are no notes.
        Self { failures: Some(failures), notes: notes.ok() }
    }

    /// Sets the failure that the next note names.
    fn failed(&self, error: &impl Display) {
        if let Some(failures) = &self.failures {
            let _ = failures.send(error.to_string());
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.failures = None;
        if let Some(notes) = self.notes.take() {
            let _ = notes.join();
        }
    }
}

/// Retries `attempt` until it succeeds, an error is not transient, or the timeout passes.
pub(crate) fn retry<T, E: Display>(
    subject: String,
    timeout: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
    is_transient: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begin = Instant::now();
    let wait = Wait::begin(subject, timeout);
    loop {
        match attempt() {
            Err(error) if is_transient(&error) && begin.elapsed() < timeout => {
                wait.failed(&error);
                sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Prints notes until the wait ends.
fn take_notes(subject: &str, until: Option<SystemTime>, failures: &Receiver<String>) {
    let mut last = None;
    let mut pause = FIRST;
    let mut begin = Instant::now();
    loop {
        match failures.recv_timeout(pause.saturating_sub(begin.elapsed())) {
            Ok(failure) => last = Some(failure),
            Err(RecvTimeoutError::Timeout) => {
                output::note(note(subject, until, last.as_deref()));
                (pause, begin) = (PERIOD, Instant::now());
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn note(subject: &str, until: Option<SystemTime>, failure: Option<&str>) -> String {
    let until = until.map(|until| humantime::format_rfc3339_seconds(until).to_string());
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    match failure {
        Some(failure) => format!("waiting for {subject}: {failure}; retrying{until}"),
        None => format!("waiting for {subject}{until}: there is no answer yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_subject_failure_and_end() {
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(60));
        assert_eq!(
            note("the moon", until, Some("it is new")),
            "waiting for the moon: it is new; retrying until 1970-01-01T00:01:00Z"
        );
        assert_eq!(
            note("the moon", until, None),
            "waiting for the moon until 1970-01-01T00:01:00Z: there is no answer yet"
        );
    }

    #[test]
    fn a_fatal_error_ends_the_attempts() {
        let mut numbers = 1..;
        let attempt = || Err::<(), i32>(numbers.next().unwrap());
        let ended = retry("it".to_owned(), Duration::from_secs(9), attempt, |error| *error < 3);
        assert_eq!(ended, Err(3));
    }
}
