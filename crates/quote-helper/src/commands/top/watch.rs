//! Periodic views of one service.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::endpoint::{Endpoint, Scrape};
use super::view::View;
use crate::failure::explain;

/// Scrapes a service periodically.
pub(super) struct Watch {
    endpoint: Endpoint,
    ticks: Interval,
    last: Option<Scrape>,
}

impl Watch {
    /// Must be called within a runtime.
    pub(super) fn new(endpoint: Endpoint, every: Duration) -> Self {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { endpoint, ticks, last: None }
    }

    /// Waits for the next tick, and scrapes. Changes are those since the last successful scrape.
    pub(super) async fn next(&mut self) -> View {
        self.ticks.tick().await;
        let answer = self.endpoint.scrape().await;
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
