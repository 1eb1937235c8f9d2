//! Intel's libsgx_quote_ex and libsgx_dcap_ql, of PSW 2.29.
//!
//! Both write the length, then the message, wait 15 seconds for each, and read the message of a
//! reply at once (`SocketTransporter.cpp` and `NonBlockingUnixCommunicationSocket.cpp` of
//! github.com/intel/linux-sgx). A reply without the sub-message of the request crashes them.

use std::time::Duration;

use sgx::AesmError;

use super::{key_id_count, key_ids, pub_key_id_size, quote, quote_size, target_info};
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, RequestWrite, Step};
use crate::{ReportFor, RequestTemplate, Requirement};

/// Milliseconds.
const TIMEOUT: Option<u32> = Some(15_000);
const PATIENCE: Option<Duration> = Some(Duration::from_secs(15));

/// An application that lists and selects the key ids, and asks for proof that the real QE answered.
pub(super) static QUOTE_EX: Flow = Flow {
    client: "Intel libsgx_quote_ex",
    origin: "recording of PSW 2.29; the last two steps from its table of errors",
    write: RequestWrite::LengthFirst,
    read: ReplyRead::MessageAtOnce,
    patience: PATIENCE,
    steps: &[
        key_id_count("sgx_get_supported_att_key_id_num", TIMEOUT),
        key_ids("sgx_get_supported_att_key_ids", TIMEOUT),
        Step {
            call: "sgx_select_att_key_id",
            request: RequestTemplate::SelectKeyId,
            timeout: TIMEOUT,
            requires: &[Requirement::SelectedKeyId],
        },
        pub_key_id_size(
            "sgx_init_quote_ex, size",
            KeyId::Selected,
            PubKeyIdBuffer::Absent,
            TIMEOUT,
        ),
        target_info("sgx_init_quote_ex", KeyId::Selected, PubKeyIdBuffer::FromReply, TIMEOUT),
        quote_size("sgx_get_quote_size_ex", KeyId::Selected, TIMEOUT),
        quote("sgx_get_quote_ex", KeyId::Selected, true, QuoteBuffer::FromReply, TIMEOUT),
        // It becomes SGX_ERROR_MAC_MISMATCH, upon which applications get new target info.
        Step {
            call: "sgx_get_quote_ex, REPORT for another QE",
            request: RequestTemplate::Quote {
                key_id: KeyId::Selected,
                report_for: ReportFor::OtherQe,
                qe_report_info: false,
                buffer: QuoteBuffer::FromReply,
            },
            timeout: TIMEOUT,
            requires: &[Requirement::Refusal(AesmError::InvalidReport)],
        },
        // It becomes SGX_ERROR_UNSUPPORTED_ATT_KEY_ID.
        Step {
            call: "sgx_get_quote_size_ex, unknown key id",
            request: RequestTemplate::QuoteSize { key_id: KeyId::Unknown },
            timeout: TIMEOUT,
            requires: &[Requirement::Refusal(AesmError::UnsupportedAttKeyId)],
        },
    ],
};

/// Calls libsgx_quote_ex. Occlum and the applications of Intel's SDK for DCAP use it.
pub(super) static DCAP_QL: Flow = Flow {
    client: "Intel libsgx_dcap_ql",
    origin: "recording of PSW 2.29; the first step from its source",
    write: RequestWrite::LengthFirst,
    read: ReplyRead::MessageAtOnce,
    patience: PATIENCE,
    steps: &[
        // The buffer's size is an uninitialized variable, sent if it is not zero.
        pub_key_id_size(
            "sgx_qe_get_target_info, size, uninitialized buf_size",
            KeyId::BuiltIn,
            PubKeyIdBuffer::Fixed(0x7ffd_5e5e_0010),
            TIMEOUT,
        ),
        pub_key_id_size(
            "sgx_qe_get_target_info, size",
            KeyId::BuiltIn,
            PubKeyIdBuffer::Absent,
            TIMEOUT,
        ),
        target_info("sgx_qe_get_target_info", KeyId::BuiltIn, PubKeyIdBuffer::FromReply, TIMEOUT),
        quote_size("sgx_qe_get_quote_size", KeyId::BuiltIn, TIMEOUT),
        quote("sgx_qe_get_quote", KeyId::BuiltIn, false, QuoteBuffer::FromReply, TIMEOUT),
    ],
};
