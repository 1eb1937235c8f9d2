//! The API server's clock, by which it checks the webhook's certificates.

use std::fmt;
use std::time::{Duration, SystemTime};

use axum::http::Request;
use axum::http::header::DATE;
use kube::Client;
use kube::client::Body;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The tolerated difference of clocks: dates have whole seconds, and certificates begin an hour
/// early.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// A path that every version serves to everybody.
const PATH: &str = "/version";

/// The time by which certificates are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerTime {
    /// The API server's time, or the local time if it sends none.
    pub(crate) now: SystemTime,
    /// The difference of the local clock, if it is not tolerated.
    pub(crate) skew: Option<ClockSkew>,
}

/// The local clock differs from the API server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockSkew {
    difference: Duration,
    is_ahead: bool,
}

impl ServerTime {
    /// Asks the API server.
    pub(crate) async fn ask(client: &Client, own: SystemTime) -> Result<Self, kube::Error> {
        let request = Request::get(PATH).body(Body::empty()).map_err(kube::Error::HttpError)?;
        let response = client.send(request).await?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(Self::compared(own, date.and_then(parse)))
    }

    fn compared(own: SystemTime, server: Option<SystemTime>) -> Self {
        let Some(now) = server else { return Self { now: own, skew: None } };
        let (difference, is_ahead) = match own.duration_since(now) {
            Ok(ahead) => (ahead, true),
            Err(behind) => (behind.duration(), false),
        };
        let skew = (difference > TOLERANCE).then_some(ClockSkew { difference, is_ahead });
        Self { now, skew }
    }
}

/// In whole hours or minutes, so that the text is stable.
impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.difference.as_secs() / 60;
        let direction = if self.is_ahead { "ahead of" } else { "behind" };
        match minutes / 60 {
            0 => write!(f, "{minutes} min")?,
            hours => write!(f, "{hours} h")?,
        }
        write!(f, " {direction} the API server's")
    }
}

fn parse(date: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(date, &Rfc2822).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn the_api_servers_time_counts() {
        let server = parse(DATE).unwrap();
        assert_eq!(server, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
        for (own, skew) in [
            (server, None),
            (server + TOLERANCE, None),
            (server - TOLERANCE, None),
            (server + Duration::from_secs(6 * 60), Some("6 min ahead of the API server's")),
            (server - Duration::from_secs(49 * 60 * 60), Some("49 h behind the API server's")),
        ] {
            let time = ServerTime::compared(own, Some(server));
            assert_eq!(time.now, server);
            assert_eq!(time.skew.map(|skew| skew.to_string()).as_deref(), skew);
        }
    }

    #[test]
    fn the_local_time_counts_without_a_date() {
        let own = SystemTime::UNIX_EPOCH;
        assert_eq!(parse("yesterday"), None);
        assert_eq!(ServerTime::compared(own, None), ServerTime { now: own, skew: None });
    }
}
