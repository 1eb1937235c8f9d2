//! Views of one service, one after the other.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::endpoint::{Answer, Endpoint};
use super::view::View;
use crate::failure::explain;

/// Asks a service now and then.
pub(super) struct Watch {
    endpoint: Endpoint,
    ticks: Interval,
    last: Option<Answer>,
}

impl Watch {
    /// Has to be called within a runtime.
    pub(super) fn new(endpoint: Endpoint, every: Duration) -> Self {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { endpoint, ticks, last: None }
    }

    /// Waits until it is time, and asks. What is new is new since the last time that there was an
    /// answer.
    pub(super) async fn next(&mut self) -> View {
        self.ticks.tick().await;
        let answer = self.endpoint.ask().await;
        let (metrics, now) = (self.endpoint.to_string(), OffsetDateTime::now_utc());
        match answer {
            Ok(answer) => {
                let view = View::of(metrics, now, self.last.as_ref(), &answer);
                self.last = Some(answer);
                view
            }
            Err(error) => View::away(metrics, now, explain(&error)),
        }
    }
}
