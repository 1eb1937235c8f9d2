//! Errors that an application gets instead of a quote.

use std::fmt;
use std::io::{self, ErrorKind};

use aesm::ClientError;
use quoting::QuotingError;
use sgx::AesmError;

/// The reason, as far as an application can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Nobody listens at the socket, or whoever did goes away in the middle.
    Nobody,
    /// No answer comes in time.
    Silence,
    /// The service says no, with this number of AESM's.
    Refused(u32),
    /// The reply is not the requested quote.
    Wrong,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => write!(f, "connection errors"),
            Self::Silence => write!(f, "timeouts"),
            Self::Wrong => write!(f, "a wrong answer"),
            Self::Refused(number) => match AesmError::from_number(*number) {
                Some(error) => write!(f, "{} ({number})", error.name()),
                None => write!(f, "error {number}"),
            },
        }
    }
}

impl From<aesm_client::Error> for Trouble {
    fn from(error: aesm_client::Error) -> Self {
        match error {
            // Its names end with their numbers, and its numbers are not to be had otherwise.
            aesm_client::Error::AesmCode(code) => {
                let name = format!("{code:?}");
                let number = name.rsplit('_').next().and_then(|number| number.parse().ok());
                Self::Refused(number.unwrap_or_default())
            }
            aesm_client::Error::AesmCommunication(error) => Self::from(&error),
            _ => Self::Wrong,
        }
    }
}

impl From<QuotingError> for Trouble {
    fn from(error: QuotingError) -> Self {
        match &error {
            QuotingError::Service(ClientError::Connect { source, .. }) => Self::from(source),
            QuotingError::Service(ClientError::Disconnected(_)) => Self::Nobody,
            QuotingError::Service(ClientError::Timeout { .. }) => Self::Silence,
            QuotingError::Service(ClientError::Refused(code)) => Self::Refused(code.number()),
            _ => Self::Wrong,
        }
    }
}

impl From<&io::Error> for Trouble {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Silence,
            _ => Self::Nobody,
        }
    }
}
