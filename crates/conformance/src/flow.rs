//! The requests of a client and its requirements, as data.

use std::time::Duration;

use crate::Requirement;

/// A client, and all that it sends to get one quote. Each request has a connection of its own, as
/// in every known client.
#[derive(Debug)]
pub struct Flow {
    /// The client's name.
    pub client: &'static str,
    /// The origin of the flow: a recording, or the client's source.
    pub origin: &'static str,
    /// The way in which the client writes a request.
    pub write: RequestWrite,
    /// The way in which the client reads a reply.
    pub read: ReplyRead,
    /// The longest wait of the client for a reply, if it has a limit.
    pub patience: Option<Duration>,
    /// The requests, in order.
    pub steps: &'static [Step],
}

/// The way in which a client writes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestWrite {
    /// Length and message in one write.
    AtOnce,
    /// The length in a first write, the message in a second one.
    LengthFirst,
}

/// The way in which a client reads a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyRead {
    /// In pieces of any size.
    InPieces,
    /// The length, then the message in a single read: a message in pieces crashes the client.
    MessageAtOnce,
}

/// A request of a client.
#[derive(Debug)]
pub struct Step {
    /// The function of the client, or its purpose.
    pub call: &'static str,
    /// The request.
    pub request: RequestTemplate,
    /// The optional timeout in the request, in the client's own unit.
    pub timeout: Option<u32>,
    /// The client's requirements of the reply. Without [`Requirement::Refusal`] it has to succeed.
    pub requires: &'static [Requirement],
}

/// A request, whose contents may depend on earlier replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestTemplate {
    /// `GetSupportedAttKeyIDNum`.
    KeyIdCount,
    /// `GetSupportedAttKeyIDs`, with a buffer for the number of ids in the earlier reply.
    KeyIds,
    /// `SelectAttKeyID`, without a list.
    SelectKeyId,
    /// `InitQuoteEx`.
    InitQuote {
        /// The attestation key id.
        key_id: KeyId,
        /// `b_pub_key_id`: asks for target info and public key id, rather than just sizes.
        with_pub_key_id: bool,
        /// `buf_size`.
        buffer: PubKeyIdBuffer,
    },
    /// `GetQuoteSizeEx`.
    QuoteSize {
        /// The attestation key id.
        key_id: KeyId,
    },
    /// `GetQuoteEx`.
    Quote {
        /// The attestation key id.
        key_id: KeyId,
        /// The Quoting Enclave that the REPORT is made for.
        report_for: ReportFor,
        /// True with `qe_report_info`: nonce and target info for a REPORT of the QE.
        qe_report_info: bool,
        /// `buf_size`.
        buffer: QuoteBuffer,
    },
}

/// The attestation key id in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyId {
    /// Intel's ECDSA P-256 key, built into the client.
    BuiltIn,
    /// The ECDSA P-256 id in the service's list.
    Listed,
    /// The one that the service has selected.
    Selected,
    /// An id that no service has.
    Unknown,
}

/// The size of the client's buffer for the public key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PubKeyIdBuffer {
    /// No `buf_size`.
    Absent,
    /// This number, in bytes.
    Fixed(u64),
    /// The size in the earlier reply.
    FromReply,
}

/// The size of the client's buffer for the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteBuffer {
    /// This number, in bytes.
    Fixed(u32),
    /// The size in the earlier reply.
    FromReply,
}

/// The Quoting Enclave that a REPORT is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFor {
    /// The service's.
    ThisQe,
    /// Another one, such as that before an update: its MAC, all ones, is invalid for every QE.
    OtherQe,
}
