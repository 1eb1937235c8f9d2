//! Requests of the ECDSA part, and the operations of the whole protocol.

use crate::frame::frame;
use crate::wire::{Fields, Malformed, Message, Value, Writer};

/// The operations of the protocol, by the field number that request and reply share. The first nine
/// and `CheckUpdateStatus` belong to EPID, launch control and updates, which no ECDSA-only service
/// serves; the others are explained at [`Request`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the protocol's own")]
pub enum Operation {
    InitQuote = 1,
    GetQuote = 2,
    GetLaunchToken = 3,
    ReportAttestationError = 4,
    GetWhiteListSize = 10,
    GetWhiteList = 11,
    GetExtendedEpidGroupId = 12,
    SwitchExtendedEpidGroup = 13,
    Register = 14,
    InitQuoteEx = 15,
    GetQuoteSizeEx = 16,
    GetQuoteEx = 17,
    CheckUpdateStatus = 18,
    SelectAttKeyId = 19,
    GetSupportedAttKeyIdNum = 21,
    GetSupportedAttKeyIds = 22,
}

impl Operation {
    /// The order in which one of several sub-messages is chosen.
    const BY_PRECEDENCE: [Self; 16] = [
        Self::InitQuoteEx,
        Self::GetQuoteSizeEx,
        Self::GetQuoteEx,
        Self::SelectAttKeyId,
        Self::GetSupportedAttKeyIdNum,
        Self::GetSupportedAttKeyIds,
        Self::InitQuote,
        Self::GetQuote,
        Self::GetLaunchToken,
        Self::ReportAttestationError,
        Self::GetWhiteListSize,
        Self::GetWhiteList,
        Self::GetExtendedEpidGroupId,
        Self::SwitchExtendedEpidGroup,
        Self::Register,
        Self::CheckUpdateStatus,
    ];

    /// The field number in requests and replies.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The operation with this field number.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::BY_PRECEDENCE.into_iter().find(|operation| operation.number() == number)
    }

    /// The operation of a request whose first field begins with these bytes, of which 5 are enough.
    #[must_use]
    pub fn of_first_field(beginning: &[u8]) -> Option<Self> {
        Self::from_number(Fields::of(beginning).next_number()?)
    }

    /// The field number of the optional timeout within the request.
    fn timeout_number(self) -> u32 {
        if self == Self::SelectAttKeyId { 2 } else { 9 }
    }
}

/// A request of the ECDSA part, as it is on the wire: byte strings of any size, `None` where an
/// optional field is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Makes the attestation key ready and asks for the QE's target info.
    InitQuoteEx {
        /// An attestation key id.
        att_key_id: Option<&'a [u8]>,
        /// Asks for target info and public key id, rather than just sizes.
        with_pub_key_id: bool,
        /// Size of the caller's buffer for the public key id, in bytes.
        buf_size: Option<u64>,
    },
    /// Asks for the size of a quote.
    GetQuoteSizeEx {
        /// An attestation key id.
        att_key_id: Option<&'a [u8]>,
    },
    /// Asks for a quote.
    GetQuoteEx {
        /// The application enclave's REPORT.
        report: &'a [u8],
        /// An attestation key id.
        att_key_id: Option<&'a [u8]>,
        /// QE report info: asks for proof that the real QE answered.
        qe_report_info: Option<&'a [u8]>,
        /// Size of the caller's buffer for the quote, in bytes.
        buf_size: u32,
    },
    /// Asks which of the listed attestation keys the service would use.
    SelectAttKeyId {
        /// An attestation key id list; absent: any.
        att_key_id_list: Option<&'a [u8]>,
    },
    /// Asks how many attestation keys there are.
    GetSupportedAttKeyIdNum,
    /// Asks for the ids of all attestation keys.
    GetSupportedAttKeyIds {
        /// Size of the caller's buffer for the ids, in bytes.
        buf_size: u32,
    },
}

/// A message that cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No operation can be recognized, so there is no form for a reply.
    #[error("the message holds no request of the AESM protocol")]
    Unrecognized,
    /// The operation belongs to EPID, launch control or updates.
    #[error("{0:?} is not an operation of the ECDSA part")]
    Unsupported(Operation),
    /// The operation is recognized, but its sub-message is cut short or lacks a required field.
    #[error("the {0:?} request is cut short or lacks a required field")]
    Malformed(Operation),
}

impl<'a> Request<'a> {
    /// Reads a message. Of several sub-messages the ECDSA operation with the lowest number counts;
    /// bytes after a whole sub-message are ignored.
    ///
    /// # Errors
    /// [`RequestError`]; only [`RequestError::Malformed`] may have a reply.
    pub fn decode(message: &'a [u8]) -> Result<Self, RequestError> {
        let (operation, bytes) = sub_message(message).ok_or(RequestError::Unrecognized)?;
        let malformed = |Malformed| RequestError::Malformed(operation);
        Self::read(operation, bytes.and_then(Message::parse).map_err(malformed)?)
    }

    /// The frame with this request and its timeout.
    #[must_use]
    pub fn to_frame(&self, timeout_ms: Option<u32>) -> Vec<u8> {
        let operation = self.operation();
        let fields = self.write().integer32(operation.timeout_number(), timeout_ms);
        frame(operation.number(), &fields)
    }

    /// The operation of this request.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::InitQuoteEx { .. } => Operation::InitQuoteEx,
            Self::GetQuoteSizeEx { .. } => Operation::GetQuoteSizeEx,
            Self::GetQuoteEx { .. } => Operation::GetQuoteEx,
            Self::SelectAttKeyId { .. } => Operation::SelectAttKeyId,
            Self::GetSupportedAttKeyIdNum => Operation::GetSupportedAttKeyIdNum,
            Self::GetSupportedAttKeyIds { .. } => Operation::GetSupportedAttKeyIds,
        }
    }

    fn read(operation: Operation, fields: Message<'a>) -> Result<Self, RequestError> {
        let malformed = RequestError::Malformed(operation);
        let bytes = |number| fields.bytes(number).ok_or(malformed);
        let integer = |number| fields.integer32(number).ok_or(malformed);
        Ok(match operation {
            Operation::InitQuoteEx => Self::InitQuoteEx {
                att_key_id: fields.bytes(1),
                with_pub_key_id: fields.integer(3).ok_or(malformed)? != 0,
                buf_size: fields.integer(4),
            },
            Operation::GetQuoteSizeEx => Self::GetQuoteSizeEx { att_key_id: fields.bytes(1) },
            Operation::GetQuoteEx => Self::GetQuoteEx {
                report: bytes(1)?,
                att_key_id: fields.bytes(2),
                qe_report_info: fields.bytes(3),
                buf_size: integer(4)?,
            },
            Operation::SelectAttKeyId => Self::SelectAttKeyId { att_key_id_list: fields.bytes(1) },
            Operation::GetSupportedAttKeyIdNum => Self::GetSupportedAttKeyIdNum,
            Operation::GetSupportedAttKeyIds => {
                Self::GetSupportedAttKeyIds { buf_size: integer(1)? }
            }
            _ => return Err(RequestError::Unsupported(operation)),
        })
    }

    fn write(&self) -> Writer {
        let fields = Writer::default();
        match *self {
            Self::InitQuoteEx { att_key_id, with_pub_key_id, buf_size } => fields
                .bytes(1, att_key_id)
                .integer(3, u64::from(with_pub_key_id))
                .integer(4, buf_size),
            Self::GetQuoteSizeEx { att_key_id } => fields.bytes(1, att_key_id),
            Self::GetQuoteEx { report, att_key_id, qe_report_info, buf_size } => fields
                .bytes(1, report)
                .bytes(2, att_key_id)
                .bytes(3, qe_report_info)
                .integer32(4, buf_size),
            Self::SelectAttKeyId { att_key_id_list } => fields.bytes(1, att_key_id_list),
            Self::GetSupportedAttKeyIds { buf_size } => fields.integer32(1, buf_size),
            Self::GetSupportedAttKeyIdNum => fields,
        }
    }
}

/// The sub-message that counts, damaged or not, and its operation.
fn sub_message(message: &[u8]) -> Option<(Operation, Result<&[u8], Malformed>)> {
    let mut counts: Option<(usize, Result<&[u8], Malformed>)> = None;
    let mut fields = Fields::of(message);
    while let (Some(number), Some(field)) = (fields.next_number(), fields.next()) {
        let bytes = match field {
            Ok((_, Value::Bytes(bytes))) => Ok(bytes),
            Ok(_) => continue,
            Err(malformed) => Err(malformed),
        };
        let rank = Operation::BY_PRECEDENCE.iter().position(|known| known.number() == number);
        let Some(rank) = rank else { continue };
        if counts.is_none_or(|(best, _)| rank <= best) {
            counts = Some((rank, bytes));
        }
    }
    let (rank, bytes) = counts?;
    Some((*Operation::BY_PRECEDENCE.get(rank)?, bytes))
}
