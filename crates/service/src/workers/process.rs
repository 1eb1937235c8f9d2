//! A worker's process and the socket to it.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use quoting::{QuoteRequest, QuotingError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::message::{MessageError, Messages, Reply, WorkerInfo, append_request, parse_reply};
use super::pool::OtherKey;
use crate::metrics::WorkerEnd;

/// The command, number and timeouts of workers.
pub struct WorkerOptions {
    /// Makes the command of a program that calls [`run_worker`](crate::run_worker) with its
    /// standard input.
    pub command: Box<dyn Fn() -> std::process::Command + Send + Sync>,
    /// The number of workers.
    pub workers: NonZeroUsize,
    /// The time for a worker to become ready.
    pub start_timeout: Duration,
    /// The time for one quote; a worker that takes longer hangs, and is replaced.
    pub quote_timeout: Duration,
}

/// The most bytes of one read: several quotes.
const READ_SIZE: usize = 32 * 1024;

/// The time that a retired worker has to exit before it is killed.
const RETIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A ready worker.
pub(super) struct Worker {
    pub(super) info: WorkerInfo,
    link: Link,
}

/// The process of a worker, ready or not.
struct Link {
    child: Child,
    socket: UnixStream,
    messages: Messages,
}

/// The reason why a worker did not become ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("its process could not be started: {0}")]
    Spawn(io::Error),
    #[error("{0}")]
    Refused(QuotingError),
    #[error("it was not ready within {0:?}")]
    Slow(Duration),
    #[error("{error}{}", ending(*.status))]
    Lost { error: LinkError, status: Option<ExitStatus> },
    #[error(transparent)]
    OtherKey(#[from] OtherKey),
}

/// The reason why a worker cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("it ended")]
    Ended,
    #[error("it cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error("it sent an invalid message: {0}")]
    Invalid(#[from] MessageError),
    #[error("it sent an unexpected message")]
    Unexpected,
}

impl StartError {
    /// The label of the metric.
    pub(super) fn end(&self) -> WorkerEnd {
        match self {
            Self::Refused(error) => WorkerEnd::NotStarted(error.code()),
            Self::Slow(_) => WorkerEnd::Hung,
            Self::Spawn(_) => WorkerEnd::Died,
            Self::Lost { error, .. } => error.end(),
            Self::OtherKey(_) => WorkerEnd::OtherKey,
        }
    }
}

impl LinkError {
    /// The label of the metric.
    pub(super) fn end(&self) -> WorkerEnd {
        match self {
            Self::Ended | Self::Io(_) => WorkerEnd::Died,
            Self::Invalid(_) | Self::Unexpected => WorkerEnd::WrongReply,
        }
    }
}

impl Worker {
    /// Starts a worker and waits until it is ready.
    pub(super) async fn start(options: &WorkerOptions) -> Result<Self, StartError> {
        let mut link = Link::start(options).map_err(StartError::Spawn)?;
        match timeout(options.start_timeout, link.first_reply()).await {
            Ok(Ok(Reply::Ready(info))) => Ok(Self { info, link }),
            Ok(Ok(Reply::Failed(error))) => Err(StartError::Refused(error)),
            Ok(Ok(Reply::Quote(_))) => {
                Err(StartError::Lost { error: LinkError::Unexpected, status: None })
            }
            Ok(Err(error)) => {
                let status = link.end().await;
                Err(StartError::Lost { error, status })
            }
            Err(_) => Err(StartError::Slow(options.start_timeout)),
        }
    }

    /// Sends requests for quotes.
    pub(super) async fn send(
        &mut self,
        requests: impl Iterator<Item = &QuoteRequest>,
    ) -> Result<(), LinkError> {
        let mut frames = Vec::new();
        requests.for_each(|request| append_request(&mut frames, request));
        Ok(self.link.socket.write_all(&frames).await?)
    }

    /// Waits for replies. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Result<VecDeque<Reply>, LinkError> {
        self.link.receive().await
    }

    /// Closes the socket, upon which the worker exits, and waits for it in the background.
    pub(super) fn retire(self) {
        let Link { mut child, socket, .. } = self.link;
        drop(socket);
        tokio::spawn(async move { timeout(RETIRE_TIMEOUT, child.wait()).await });
    }

    /// Ends a failed worker. Returns its exit status as text if it exited by itself.
    pub(super) async fn end(mut self) -> String {
        ending(self.link.end().await)
    }
}

impl Link {
    fn start(options: &WorkerOptions) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = Command::from((options.command)());
        let child = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // With this variable, Intel's library would ask this very service.
            .env_remove(quoting::SGX_AESM_ADDR)
            .kill_on_drop(true)
            .spawn()?;
        let socket = UnixStream::from_std(ours)?;
        Ok(Self { child, socket, messages: Messages::default() })
    }

    async fn first_reply(&mut self) -> Result<Reply, LinkError> {
        loop {
            if let Some(reply) = self.receive().await?.pop_front() {
                return Ok(reply);
            }
        }
    }

    async fn receive(&mut self) -> Result<VecDeque<Reply>, LinkError> {
        self.messages.received.reserve(READ_SIZE);
        if self.socket.read_buf(&mut self.messages.received).await? == 0 {
            return Err(LinkError::Ended);
        }
        let mut replies = VecDeque::new();
        while let Some(message) = self.messages.next().map_err(MessageError::from)? {
            replies.push_back(parse_reply(message)?);
        }
        Ok(replies)
    }

    /// Kills the process unless it is about to exit by itself; then returns its status.
    async fn end(&mut self) -> Option<ExitStatus> {
        const EXIT_TIME: Duration = Duration::from_millis(20);
        if let Ok(status) = timeout(EXIT_TIME, self.child.wait()).await {
            return status.ok();
        }
        let _ = self.child.start_kill();
        None
    }
}

fn ending(status: Option<ExitStatus>) -> String {
    status.map_or_else(String::new, |status| format!(" ({status})"))
}
