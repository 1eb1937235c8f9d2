//! The task of a connection that stays open: waits for the client, within deadlines.

use std::pin::pin;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::exchange::{CloseReason, Exchange, Wants};
use crate::caller::{Callers, Client};
use crate::handler::Handler;
use crate::rules::Rules;

/// The time for a first request once the service is stopping.
const LAST_CALL: Duration = Duration::from_millis(500);

/// The time that a connection beyond its quota may wait for a request, or idle.
const OVER_QUOTA_TIMEOUT: Duration = Duration::from_millis(100);

/// A connection, and what limits its waits.
pub(super) struct ConnectionTask<'a> {
    pub(super) handler: &'a Handler,
    pub(super) callers: &'a Callers,
    pub(super) client: Client,
    pub(super) rules: &'a watch::Receiver<Rules>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl ConnectionTask<'_> {
    /// Serves the connection until it is closed.
    pub(super) async fn run(mut self, socket: UnixStream, mut exchange: Exchange, wants: Wants) {
        let reason = self.serve(&socket, &mut exchange, wants).await;
        reason.log(&self.client);
    }

    async fn serve(
        &mut self,
        socket: &UnixStream,
        exchange: &mut Exchange,
        mut wants: Wants,
    ) -> CloseReason {
        let mut begin = Instant::now();
        let mut revoked = pin!(self.client.lease.revoked());
        loop {
            let (requests, was_in_a_request) = (exchange.requests, exchange.is_in_a_request());
            let next = tokio::select! {
                biased;
                // Even while waiting for its turn: another client needs the descriptor.
                () = &mut revoked => return CloseReason::Revoked,
                next = self.step(wants, socket, exchange, begin) => next,
            };
            match next {
                Ok(next) => wants = next,
                Err(reason) => return reason,
            }
            if exchange.requests != requests {
                self.client.lease.touch();
            }
            if exchange.requests != requests || !was_in_a_request {
                begin = Instant::now();
            }
        }
    }

    async fn step(
        &mut self,
        wants: Wants,
        socket: &UnixStream,
        exchange: &mut Exchange,
        begin: Instant,
    ) -> Result<Wants, CloseReason> {
        self.wait_for(wants, socket, exchange, begin).await?;
        if !self.callers.contended(std::time::Instant::now()) {
            return exchange.advance(socket, &self.client, self.handler);
        }
        let _turn = self.client.flow.turn().await;
        let wants = exchange.advance(socket, &self.client, self.handler)?;
        tokio::task::yield_now().await;
        Ok(wants)
    }

    async fn wait_for(
        &mut self,
        wants: Wants,
        socket: &UnixStream,
        exchange: &mut Exchange,
        begin: Instant,
    ) -> Result<(), CloseReason> {
        match wants {
            Wants::Quote(quote) => {
                self.client.lease.pin();
                let response = self.handler.quote(*quote, &self.client).await;
                self.client.lease.touch();
                exchange.reply(&response);
                Ok(())
            }
            Wants::Yield => {
                tokio::task::yield_now().await;
                Ok(())
            }
            Wants::Write => {
                let reply_timeout = self.rules.borrow().limits.reply_timeout;
                let ready = timeout(reply_timeout, socket.writable()).await;
                Ok(ready.map_err(|_| CloseReason::ReplyTimeout)??)
            }
            Wants::Read if exchange.is_in_a_request() => {
                let request_timeout = self.rules.borrow().limits.request_timeout;
                let end = begin.checked_add(self.within_quota(request_timeout)).unwrap_or(begin);
                let ready = timeout_at(end, socket.readable()).await;
                Ok(ready.map_err(|_| CloseReason::RequestTimeout)??)
            }
            Wants::Read => self.next_request(socket, exchange.requests > 0).await,
        }
    }

    /// Waits for the next request, as long as a connection may idle.
    async fn next_request(&mut self, socket: &UnixStream, served: bool) -> Result<(), CloseReason> {
        let idle_timeout = self.rules.borrow().limits.idle_timeout;
        let ready = timeout(self.within_quota(idle_timeout), socket.readable());
        tokio::select! {
            biased;
            ready = ready => return Ok(ready.map_err(|_| CloseReason::Idle)??),
            // An error means that the sender is gone, since the service has ended.
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
        }
        let last_call = if served { Duration::ZERO } else { LAST_CALL };
        let ready = timeout(last_call, socket.readable()).await;
        Ok(ready.map_err(|_| CloseReason::Idle)??)
    }

    fn within_quota(&self, timeout: Duration) -> Duration {
        if self.client.within_quota() { timeout } else { OVER_QUOTA_TIMEOUT }
    }
}
