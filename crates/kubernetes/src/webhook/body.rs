//! Receives request bodies in bounded memory.

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt as _;

use super::body_budget::{BodyBudget, Reservation};
use super::limits::{Limits, MAX_SIZE, SMALL};

/// The step by which a buffer grows, to limit unused memory.
const BLOCK: usize = 4 << 10;

/// The memory for bodies: large ones cannot take that of small ones.
pub(crate) struct BodyBudgets {
    small: BodyBudget,
    large: BodyBudget,
}

/// A received body.
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_large: bool,
    _reservation: OwnedSemaphorePermit,
}

/// A body that was not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("a review has at most {MAX_SIZE} bytes")]
    TooLarge,
    #[error("newer reviews have replaced this one, which had not arrived; send it again")]
    Evicted,
    #[error("the review has not arrived: {0}")]
    Broken(#[from] axum::Error),
}

impl BodyBudgets {
    pub(crate) fn new(limits: Limits) -> Self {
        let Limits { small_bodies, large_bodies, .. } = limits;
        Self { small: BodyBudget::new(small_bodies), large: BodyBudget::new(large_bodies) }
    }

    /// Receives the whole body, after waiting for a share of the budget.
    pub(crate) async fn receive(&self, body: Body) -> Result<ReceivedBody, BodyError> {
        // The announced size, if any.
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

/// Reads at most `size` bytes.
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

/// Copies the chunk, since it may keep a larger buffer alive.
fn append(bytes: &mut Vec<u8>, chunk: &Bytes) {
    let length = bytes.len().saturating_add(chunk.len());
    if length > bytes.capacity() {
        let capacity = length.next_multiple_of(BLOCK);
        bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
    }
    bytes.extend_from_slice(chunk);
}
