//! The attestation key id list of a SelectAttKeyID request.

use quoting::QuotingError;
use sgx::{AttestationKeyId, FromBytes, U16, U32};

use crate::handler::parameter;

/// At most so many attestation key ids are in a list.
const MAX_KEY_IDS: usize = 10;

/// The ids of a list: id 0 and version 0 (2 bytes each), count (4), ids (256 each), and no more.
pub(crate) fn key_ids_in(list: &[u8]) -> Result<Vec<AttestationKeyId>, QuotingError> {
    let wrong = || parameter("the attestation key id list is not of its form");
    let (id, rest) = U16::read_from_prefix(list).map_err(|_| wrong())?;
    let (version, rest) = U16::read_from_prefix(rest).map_err(|_| wrong())?;
    let (count, rest) = U32::read_from_prefix(rest).map_err(|_| wrong())?;
    let (ids, excess) = rest.as_chunks::<{ size_of::<AttestationKeyId>() }>();
    let well_formed = id == 0
        && version == 0
        && excess.is_empty()
        && ids.len() <= MAX_KEY_IDS
        && usize::try_from(count.get()) == Ok(ids.len());
    if !well_formed {
        return Err(wrong());
    }
    let parsed = |id: &[u8; 256]| AttestationKeyId::read_from_bytes(id).map_err(|_| wrong());
    ids.iter().map(parsed).collect()
}
