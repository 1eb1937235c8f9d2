//! The Go client of Oasis Core: `go/common/sgx/aesm/aesm.go` of
//! github.com/oasisprotocol/oasis-core.
//!
//! It refuses a list of key ids of another size than asked for, and takes the quote as it comes,
//! without trimming it. Its caller's context limits the wait.

use super::{key_id_count, key_ids, pub_key_id_size, quote, quote_size, target_info};
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, RequestWrite};

/// Microseconds.
const TIMEOUT: Option<u32> = Some(1_000_000);

pub(super) static OASIS: Flow = Flow {
    client: "Go (Oasis Core)",
    origin: "its source",
    write: RequestWrite::LengthFirst,
    read: ReplyRead::InPieces,
    patience: None,
    steps: &[
        key_id_count("GetAttestationKeyIDs, number", TIMEOUT),
        key_ids("GetAttestationKeyIDs", TIMEOUT),
        pub_key_id_size("GetTargetInfo, size", KeyId::Listed, PubKeyIdBuffer::Absent, TIMEOUT),
        target_info("GetTargetInfo", KeyId::Listed, PubKeyIdBuffer::FromReply, TIMEOUT),
        quote_size("GetQuoteEx, size", KeyId::Listed, TIMEOUT),
        quote("GetQuoteEx", KeyId::Listed, false, QuoteBuffer::FromReply, TIMEOUT),
    ],
};
