//! Retries of a request, with exponential backoff.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use aesm::{ClientError, Deadline};
use sgx::AesmError;

use super::outage::Outage;

/// The pause before the second attempt, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause, and so the delay with which a returning service is noticed.
const MAX_PAUSE: Duration = Duration::from_millis(80);

/// The retries of one request.
pub(super) struct Retry<'a> {
    deadline: &'a Deadline,
    reconnect_timeout: Duration,
    outage: &'a Outage,
    absent_since: Option<Instant>,
    pause: Duration,
    last_error: Option<ClientError>,
}

impl<'a> Retry<'a> {
    pub(super) fn new(
        deadline: &'a Deadline,
        reconnect_timeout: Duration,
        outage: &'a Outage,
    ) -> Self {
        let (absent_since, pause, last_error) = (None, FIRST_PAUSE, None);
        Self { deadline, reconnect_timeout, outage, absent_since, pause, last_error }
    }

    /// Pauses before the next attempt, or returns the error if there must be none.
    pub(super) fn pause_after(&mut self, error: ClientError) -> Result<(), ClientError> {
        let time_left = self.deadline.time_left().unwrap_or_default();
        if time_left <= self.pause || !self.is_transient(&error) {
            if self.absent_since.is_some() {
                self.outage.record();
            }
            return Err(self.most_informative(error));
        }
        self.last_error = Some(error);
        std::thread::sleep(self.pause);
        self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
        Ok(())
    }

    /// Prefers the reason of the retries to the timeout of the last attempt.
    fn most_informative(&mut self, error: ClientError) -> ClientError {
        match error {
            ClientError::Timeout { .. } => self.last_error.take().unwrap_or(error),
            _ => error,
        }
    }

    /// Tells if the service can be expected to answer soon. Requests are idempotent.
    fn is_transient(&mut self, error: &ClientError) -> bool {
        if !is_absence(error) {
            self.absent_since = None;
            self.outage.end();
        }
        match error {
            ClientError::Refused(AesmError::Busy | AesmError::ServiceStopped)
            | ClientError::Disconnected(_) => true,
            ClientError::Connect { socket, .. } => {
                is_absence(error)
                    && is_expected_at(socket)
                    && !self.outage.is_recent()
                    && self.may_reconnect()
            }
            _ => false,
        }
    }

    fn may_reconnect(&mut self) -> bool {
        self.absent_since.get_or_insert_with(Instant::now).elapsed() < self.reconnect_timeout
    }
}

/// Tells if no process listens on the socket.
fn is_absence(error: &ClientError) -> bool {
    let ClientError::Connect { source, .. } = error else { return false };
    matches!(source.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// Tells if a service is meant to be here: otherwise the directory of its socket is missing, or not
/// mounted into this container.
fn is_expected_at(socket: &Path) -> bool {
    socket.parent().is_some_and(Path::is_dir)
}
