//! Fortanix's crate aesm-client, of github.com/fortanix/rust-sgx: enclaves of the EDP.
//!
//! It refuses a list of key ids of another size than asked for, and panics if a quote comes without
//! the QE's REPORT.

use std::time::Duration;

use super::{key_id_count, key_ids, pub_key_id_size, quote, quote_size, target_info};
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, RequestWrite};

/// Microseconds.
const TIMEOUT: Option<u32> = Some(30_000_000);

pub(super) static AESM_CLIENT: Flow = Flow {
    client: "Fortanix aesm-client",
    origin: "recording of aesm-client 0.6",
    write: RequestWrite::AtOnce,
    read: ReplyRead::InPieces,
    patience: Some(Duration::from_secs(30)),
    steps: &[
        key_id_count("get_supported_att_key_ids, number", TIMEOUT),
        key_ids("get_supported_att_key_ids", TIMEOUT),
        pub_key_id_size("init_quote_ex, size", KeyId::Listed, PubKeyIdBuffer::Absent, TIMEOUT),
        // The only request of this client without a timeout.
        target_info("init_quote_ex", KeyId::Listed, PubKeyIdBuffer::FromReply, None),
        quote_size("get_quote_ex, size", KeyId::Listed, TIMEOUT),
        quote("get_quote_ex", KeyId::Listed, true, QuoteBuffer::FromReply, TIMEOUT),
    ],
};
