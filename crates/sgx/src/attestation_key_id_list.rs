//! The attestation key id list: the keys that a verifier accepts.

use zerocopy::FromBytes;
use zerocopy::little_endian::{U16, U32};

use crate::{AesmError, AttestationKeyId};

/// The maximum number of attestation key ids in a list.
const MAX_KEY_IDS: usize = 10;

impl AttestationKeyId {
    /// The largest list, in bytes.
    pub const MAX_LIST_SIZE: usize = 8 + MAX_KEY_IDS * size_of::<Self>();

    /// Selects the first entry of the verifier's list that names a known key; without a list
    /// `known[0]`, the preferred key.
    ///
    /// A list is id 0 and version 0 (2 bytes each), count (4) and at most ten ids (256 each;
    /// `sgx_ql_att_key_id_list_t` of the DCAP API).
    ///
    /// # Errors
    /// [`AesmError::Parameter`] for a list of another form, [`AesmError::UnsupportedAttKeyId`] if
    /// it names no known key.
    pub fn select(known: &[Self], list: Option<&[u8]>) -> Result<Self, AesmError> {
        let selected = match list {
            None => known.first().copied(),
            Some(list) => key_ids_in(list)
                .ok_or(AesmError::Parameter)?
                .into_iter()
                .find(|listed| known.iter().any(|known| known.names_same_key(listed))),
        };
        selected.ok_or(AesmError::UnsupportedAttKeyId)
    }
}

fn key_ids_in(list: &[u8]) -> Option<Vec<AttestationKeyId>> {
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
