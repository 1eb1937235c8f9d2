//! The attestation key id list of a SelectAttKeyID request.

use sgx::{AttestationKeyId, FromBytes, U16, U32};

/// At most so many attestation key ids are in a list.
const MAX_KEY_IDS: usize = 10;

/// The ids of a list: id 0 and version 0 (2 bytes each), count (4), ids (256 each), and no more.
/// `None` if it is not of this form.
pub(crate) fn key_ids_in(list: &[u8]) -> Option<Vec<AttestationKeyId>> {
    let (id, rest) = U16::read_from_prefix(list).ok()?;
    let (version, rest) = U16::read_from_prefix(rest).ok()?;
    let (count, rest) = U32::read_from_prefix(rest).ok()?;
    let (ids, excess) = rest.as_chunks::<{ size_of::<AttestationKeyId>() }>();
    let well_formed = id == 0
        && version == 0
        && excess.is_empty()
        && ids.len() <= MAX_KEY_IDS
        && usize::try_from(count.get()) == Ok(ids.len());
    if !well_formed {
        return None;
    }
    ids.iter().map(|id| AttestationKeyId::read_from_bytes(id).ok()).collect()
}
