//! When a request that failed is worth sending again, and when.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use aesm::{ClientError, Deadline};
use sgx::AesmError;

use super::absence::Absence;

/// The pause before the second attempt, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause: a service that is back is noticed so soon.
const LONGEST_PAUSE: Duration = Duration::from_millis(80);

/// The attempts at one request.
pub(super) struct Repetition<'a> {
    deadline: &'a Deadline,
    /// For how long at a stretch the service may be absent.
    patience: Duration,
    absence: &'a Absence,
    absent_since: Option<Instant>,
    pause: Duration,
    last_error: Option<ClientError>,
}

impl<'a> Repetition<'a> {
    pub(super) fn new(deadline: &'a Deadline, patience: Duration, absence: &'a Absence) -> Self {
        let (absent_since, last_error) = (None, None);
        Self { deadline, patience, absence, absent_since, pause: FIRST_PAUSE, last_error }
    }

    /// Waits until the request is to be sent again, or gives the error back if it is not.
    pub(super) fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        let time_left = self.deadline.time_left().unwrap_or_default();
        if time_left <= self.pause || !self.is_worthwhile(&error) {
            if self.absent_since.is_some() {
                self.absence.remember();
            }
            return Err(self.most_telling(error));
        }
        self.last_error = Some(error);
        std::thread::sleep(self.pause);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// That the time was over during the last attempt says less than why there was more than one.
    fn most_telling(&mut self, error: ClientError) -> ClientError {
        match error {
            ClientError::Timeout { .. } => self.last_error.take().unwrap_or(error),
            _ => error,
        }
    }

    /// Whether the service will be able to answer soon. A request can be repeated without harm.
    fn is_worthwhile(&mut self, error: &ClientError) -> bool {
        if !is_absence(error) {
            self.absent_since = None;
            self.absence.is_over();
        }
        match error {
            ClientError::Refused(AesmError::Busy | AesmError::ServiceStopped)
            | ClientError::Disconnected(_) => true,
            ClientError::Connect { socket, .. } => {
                is_absence(error)
                    && is_expected_at(socket)
                    && !self.absence.is_remembered()
                    && self.is_patient()
            }
            _ => false,
        }
    }

    fn is_patient(&mut self) -> bool {
        self.absent_since.get_or_insert_with(Instant::now).elapsed() < self.patience
    }
}

/// Whether nobody listens at the socket.
fn is_absence(error: &ClientError) -> bool {
    let ClientError::Connect { source, .. } = error else { return false };
    matches!(source.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// Whether a service is meant to be here, and is just being restarted. Otherwise nobody made the
/// directory of its socket, or mounted it into this container.
fn is_expected_at(socket: &Path) -> bool {
    socket.parent().is_some_and(Path::is_dir)
}
