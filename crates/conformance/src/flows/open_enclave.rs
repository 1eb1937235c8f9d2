//! Open Enclave, and EGo and Edgeless RT, which contain it: `host/sgx/sgxquote.c` of
//! github.com/openenclave/openenclave, over libsgx_quote_ex.
//!
//! It lists the key ids once per process, so that a failure lasts until the application restarts,
//! and uses the one whose algorithm is ECDSA P-256.

use std::time::Duration;

use super::{key_id_count, key_ids, pub_key_id_size, quote, quote_size, target_info};
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, RequestWrite};

/// Milliseconds, set by libsgx_quote_ex.
const TIMEOUT: Option<u32> = Some(15_000);

pub(super) static OPEN_ENCLAVE: Flow = Flow {
    client: "Open Enclave",
    origin: "its source, with the messages of libsgx_quote_ex",
    write: RequestWrite::LengthFirst,
    read: ReplyRead::MessageAtOnce,
    patience: Some(Duration::from_secs(15)),
    steps: &[
        key_id_count("load, number of key ids", TIMEOUT),
        key_ids("load, key ids", TIMEOUT),
        pub_key_id_size(
            "oe_sgx_qe_get_target_info, size",
            KeyId::Listed,
            PubKeyIdBuffer::Absent,
            TIMEOUT,
        ),
        target_info("oe_sgx_qe_get_target_info", KeyId::Listed, PubKeyIdBuffer::FromReply, TIMEOUT),
        quote_size("oe_sgx_qe_get_quote_size", KeyId::Listed, TIMEOUT),
        quote("oe_sgx_qe_get_quote", KeyId::Listed, false, QuoteBuffer::FromReply, TIMEOUT),
    ],
};
