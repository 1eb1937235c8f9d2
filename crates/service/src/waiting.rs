//! Waits for what a connection needs, for a limited time.

use std::pin::pin;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

use crate::client::Client;
use crate::connection::{Connection, End, Need};
use crate::flows::Flows;
use crate::handler::Handler;
use crate::rules::Rules;

/// After the service was told to stop, a client that has just connected has this long to begin.
const LAST_CALL: Duration = Duration::from_millis(500);

/// The time for a client beyond a quota to ask, and to go.
const BRIEF: Duration = Duration::from_millis(100);

/// A connection, and how long it may keep us waiting.
pub(crate) struct Waiting<'a> {
    pub(crate) handler: &'a Handler,
    pub(crate) flows: &'a Flows,
    pub(crate) client: Client,
    pub(crate) rules: &'a watch::Receiver<Rules>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A client that keeps us waiting too long; its connection is closed.
#[derive(Debug, thiserror::Error)]
enum GivenUp {
    #[error("the request did not arrive in time")]
    Request,
    #[error("the client did not take its reply in time")]
    Reply,
    #[error("the connection was idle")]
    Idle,
    #[error("its caller has the most connections, and there are no more")]
    TakenAway,
    #[error("the connection cannot be waited for: {0}")]
    Io(#[from] std::io::Error),
}

impl Waiting<'_> {
    /// Serves the connection, which needs something, to its end. Whatever goes wrong ends this
    /// connection only.
    pub(crate) async fn serve(
        mut self,
        socket: UnixStream,
        mut connection: Connection,
        mut need: Need,
    ) {
        let mut begin = Instant::now();
        let mut taken_away = pin!(self.client.lease.taken_away());
        loop {
            let (requests, was_in_a_request) = (connection.requests, connection.is_in_a_request());
            let next = tokio::select! {
                biased;
                // Whatever it waits for, its turn included: others are waiting for its descriptor.
                () = &mut taken_away => return log(&socket, &GivenUp::TakenAway),
                next = self.step(need, &socket, &mut connection, begin) => next,
            };
            let Some(next) = next else { return };
            need = next;
            if connection.requests != requests {
                self.client.lease.touch();
            }
            if connection.requests != requests || !was_in_a_request {
                begin = Instant::now();
            }
        }
    }

    /// Waits for what the connection needs, and goes on to its next need. `None` is its end.
    async fn step(
        &mut self,
        need: Need,
        socket: &UnixStream,
        connection: &mut Connection,
        begin: Instant,
    ) -> Option<Need> {
        if let Err(reason) = self.fulfil(need, socket, connection, begin).await {
            log(socket, &reason);
            return None;
        }
        match self.advance(socket, connection).await {
            Ok(need) => Some(need),
            Err(End::Closed) => None,
            Err(end) => {
                log(socket, &end);
                None
            }
        }
    }

    /// Goes on, when callers have to take turns in the turn of this one, which ends when others have had theirs.
    async fn advance(&self, socket: &UnixStream, connection: &mut Connection) -> Result<Need, End> {
        if !self.flows.are_contended(std::time::Instant::now()) {
            return connection.advance(socket, &self.client, self.handler);
        }
        let _turn = self.client.flow.turn().await;
        let need = connection.advance(socket, &self.client, self.handler)?;
        tokio::task::yield_now().await;
        Ok(need)
    }

    async fn fulfil(
        &mut self,
        need: Need,
        socket: &UnixStream,
        connection: &mut Connection,
        begin: Instant,
    ) -> Result<(), GivenUp> {
        match need {
            Need::Quote(order) => {
                self.client.lease.pin();
                let response = self.handler.quote(*order, &self.client).await;
                self.client.lease.touch();
                connection.reply(&response);
                Ok(())
            }
            Need::Turn => {
                tokio::task::yield_now().await;
                Ok(())
            }
            Need::Room => match timeout(self.reply_timeout(), socket.writable()).await {
                Ok(ready) => Ok(ready?),
                Err(_) => Err(GivenUp::Reply),
            },
            Need::Request if connection.is_in_a_request() => {
                let end = begin.checked_add(self.request_timeout()).unwrap_or(begin);
                match timeout_at(end, socket.readable()).await {
                    Ok(ready) => Ok(ready?),
                    Err(_) => Err(GivenUp::Request),
                }
            }
            Need::Request => self.next_request(socket, connection.requests > 0).await,
        }
    }

    fn reply_timeout(&self) -> Duration {
        self.rules.borrow().limits.reply_timeout
    }

    fn request_timeout(&self) -> Duration {
        match self.client.is_within_quota() {
            true => self.rules.borrow().limits.request_timeout,
            false => BRIEF,
        }
    }

    fn idle_timeout(&self) -> Duration {
        match self.client.is_within_quota() {
            true => self.rules.borrow().limits.idle_timeout,
            false => BRIEF,
        }
    }

    /// Waits until there is something to read, for as long as an idle connection is kept.
    async fn next_request(&mut self, socket: &UnixStream, served: bool) -> Result<(), GivenUp> {
        let ready = timeout(self.idle_timeout(), socket.readable());
        tokio::select! {
            biased;
            ready = ready => return Ok(ready.map_err(|_| GivenUp::Idle)??),
            () = stopped(&mut self.stopping) => {}
        }
        let last_call = if served { Duration::ZERO } else { LAST_CALL };
        let ready = timeout(last_call, socket.readable()).await;
        Ok(ready.map_err(|_| GivenUp::Idle)??)
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone cannot say more: the service has ended.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn log(socket: &UnixStream, reason: &dyn std::error::Error) {
    let pid = socket.peer_cred().ok().and_then(|peer| peer.pid());
    debug!(pid, %reason, "closing a connection");
}
