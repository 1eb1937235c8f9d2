//! Gramine: `pal/src/host/linux-sgx/host_platform.c` of github.com/gramineproject/gramine.
//!
//! It has Intel's key id built in, asks for no size, sends no timeout and waits without limit. It
//! trims the quote by the length inside, which has to fit into its buffer.

use super::{quote, target_info};
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, RequestWrite};

pub(super) static GRAMINE: Flow = Flow {
    client: "Gramine",
    origin: "recording",
    write: RequestWrite::LengthFirst,
    read: ReplyRead::InPieces,
    patience: None,
    steps: &[
        target_info(
            "init_quoting_enclave_targetinfo",
            KeyId::BuiltIn,
            PubKeyIdBuffer::Fixed(32),
            None,
        ),
        quote("retrieve_quote", KeyId::BuiltIn, false, QuoteBuffer::Fixed(8_192), None),
    ],
};
