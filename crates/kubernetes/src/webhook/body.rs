//! Receives bodies of requests, in bounded memory.

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt as _;

use super::body_budget::{BodyBudget, Reservation};
use super::limits::{Limits, MAX_SIZE, SMALL};

/// Memory grows by so many bytes, so that a body has no more than it needs.
const BLOCK: usize = 4 << 10;

/// The memory for bodies: large ones never take that of small ones.
pub(crate) struct BodyBudgets {
    small: BodyBudget,
    large: BodyBudget,
}

/// A body that has arrived.
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_large: bool,
    _reservation: OwnedSemaphorePermit,
}

/// Why a body is not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("a review has {MAX_SIZE} bytes at the most")]
    TooLarge,
    #[error("other reviews came, and this one has not arrived; send it again")]
    Evicted,
    #[error("the review has not arrived: {0}")]
    Broken(#[from] axum::Error),
}

impl BodyBudgets {
    pub(crate) fn new(limits: Limits) -> Self {
        let Limits { small_bodies, large_bodies, .. } = limits;
        Self { small: BodyBudget::new(small_bodies), large: BodyBudget::new(large_bodies) }
    }

    /// The whole body. It waits for reservation among the others before it is read.
    pub(crate) async fn receive(&self, body: Body) -> Result<ReceivedBody, BodyError> {
        // What is announced, if anything is.
        let size = body.size_hint().upper().unwrap_or(MAX_SIZE as u64);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > MAX_SIZE {
            return Err(BodyError::TooLarge);
        }
        let is_large = size > SMALL;
        let budget = if is_large { &self.large } else { &self.small };
        let mut reservation = budget.reserve(size).await;
        let bytes = read(body, size, &mut reservation).await?;
        Ok(ReceivedBody { bytes, is_large, _reservation: reservation.complete() })
    }
}

/// Reads no more than so many bytes.
async fn read(
    body: Body,
    size: usize,
    reservation: &mut Reservation,
) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    loop {
        let chunk = tokio::select! {
            chunk = chunks.next() => chunk.transpose()?,
            () = reservation.evicted() => return Err(BodyError::Evicted),
        };
        let Some(chunk) = chunk else { return Ok(bytes) };
        if bytes.len().saturating_add(chunk.len()) > size {
            return Err(BodyError::TooLarge);
        }
        append(&mut bytes, &chunk);
    }
}

/// Copies the chunk, which may hold on to a larger buffer.
fn append(bytes: &mut Vec<u8>, chunk: &Bytes) {
    let length = bytes.len().saturating_add(chunk.len());
    if length > bytes.capacity() {
        let capacity = length.next_multiple_of(BLOCK);
        bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
    }
    bytes.extend_from_slice(chunk);
}
