//! A worker's process and the socket to it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use quoting::{QuoteRequest, QuotingError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::WorkerOptions;
use super::message::{MessageError, Messages, Offer, Reply, append_request, parse_reply};
use super::pool::OtherKey;
use crate::metrics::WorkerEnd;

/// How much is read at a time: several quotes.
const READ_SIZE: usize = 32 * 1024;

/// A worker that is told to end has this long before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A worker that is ready.
pub(super) struct Worker {
    pub(super) offer: Offer,
    link: Link,
}

/// A worker, ready or not.
struct Link {
    child: Child,
    socket: UnixStream,
    messages: Messages,
}

/// A worker did not become ready.
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

/// A worker cannot be talked to any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("it ended")]
    Ended,
    #[error("it cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error("it answered nonsense: {0}")]
    Nonsense(#[from] MessageError),
    #[error("it answered what nobody had asked")]
    Unasked,
}

impl StartError {
    /// How it is counted.
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
    /// How it is counted.
    pub(super) fn end(&self) -> WorkerEnd {
        match self {
            Self::Ended | Self::Io(_) => WorkerEnd::Died,
            Self::Nonsense(_) | Self::Unasked => WorkerEnd::WrongReply,
        }
    }
}

impl Worker {
    /// Starts a worker and waits until it is ready.
    pub(super) async fn start(options: &WorkerOptions) -> Result<Self, StartError> {
        let mut link = Link::start(options).map_err(StartError::Spawn)?;
        match timeout(options.start_timeout, link.first_reply()).await {
            Ok(Ok(Reply::Ready(offer))) => Ok(Self { offer, link }),
            Ok(Ok(Reply::Failed(error))) => Err(StartError::Refused(error)),
            Ok(Ok(Reply::Quote(_))) => {
                Err(StartError::Lost { error: LinkError::Unasked, status: None })
            }
            Ok(Err(error)) => {
                let status = link.end().await;
                Err(StartError::Lost { error, status })
            }
            Err(_) => Err(StartError::Slow(options.start_timeout)),
        }
    }

    /// Has the worker make quotes.
    pub(super) async fn send(
        &mut self,
        requests: impl Iterator<Item = &QuoteRequest>,
    ) -> Result<(), LinkError> {
        let mut frames = Vec::new();
        requests.for_each(|request| append_request(&mut frames, request));
        Ok(self.link.socket.write_all(&frames).await?)
    }

    /// Waits for replies. Nothing is lost when this is given up.
    pub(super) async fn receive(&mut self) -> Result<VecDeque<Reply>, LinkError> {
        self.link.receive().await
    }

    /// Lets the worker end by itself, in the background.
    pub(super) fn retire(self) {
        let Link { mut child, socket, .. } = self.link;
        drop(socket);
        tokio::spawn(async move { timeout(GRACE, child.wait()).await });
    }

    /// Ends a worker that has failed, and says how it ended if it did so by itself.
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
            // With this variable Intel's library would ask the service, which is asking it.
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

    /// Kills the process, unless it is about to end by itself; then says how it ended.
    async fn end(&mut self) -> Option<ExitStatus> {
        const MOMENT: Duration = Duration::from_millis(20);
        if let Ok(status) = timeout(MOMENT, self.child.wait()).await {
            return status.ok();
        }
        let _ = self.child.start_kill();
        None
    }
}

fn ending(status: Option<ExitStatus>) -> String {
    status.map_or_else(String::new, |status| format!(" ({status})"))
}
