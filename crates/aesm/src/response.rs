//! Responses: what the service answers.

use sgx::AesmError;

use crate::frame::frame;
use crate::request::Operation;
use crate::wire::{Fields, Message, Value, Writer};

/// The field number of the reply to an unsupported request, which has no request of its own.
const UNSUPPORTED_REQUEST: u32 = 20;

/// A reply: whether it went well, and what belongs to the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `None` is success.
    pub error: Option<AesmError>,
    /// The operation and its fields; some are there even when there is an error.
    pub payload: Payload,
}

/// The fields of a reply, `None` where one is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the requests, explained at `Request`")]
pub enum Payload {
    InitQuoteEx { target_info: Option<Vec<u8>>, pub_key_id_size: u64, pub_key_id: Option<Vec<u8>> },
    GetQuoteSizeEx { quote_size: u32 },
    GetQuoteEx { quote: Option<Vec<u8>>, qe_report_info: Option<Vec<u8>> },
    SelectAttKeyId { selected_att_key_id: Option<Vec<u8>> },
    GetSupportedAttKeyIdNum { att_key_id_num: u32 },
    GetSupportedAttKeyIds { att_key_ids: Option<Vec<u8>> },
    InitQuote { target_info: Option<Vec<u8>>, gid: Option<Vec<u8>> },
    GetQuote { quote: Option<Vec<u8>>, qe_report: Option<Vec<u8>> },
    GetLaunchToken { token: Option<Vec<u8>> },
    ReportAttestationError { platform_update_info: Option<Vec<u8>> },
    GetWhiteListSize { white_list_size: Option<u32> },
    GetWhiteList { white_list: Option<Vec<u8>> },
    GetExtendedEpidGroupId { x_group_id: Option<u32> },
    SwitchExtendedEpidGroup,
    Register,
    CheckUpdateStatus { platform_update_info: Option<Vec<u8>>, status: Option<u32> },
    UnsupportedRequest,
}

/// The bytes are no reply of the AESM protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is no reply of the AESM protocol")]
pub struct ResponseError;

impl Response {
    /// Reads a message.
    ///
    /// # Errors
    /// [`ResponseError`] when there is no reply in it or the encoding is damaged. An error code that
    /// is absent means [`AesmError::Unexpected`], as the protocol says.
    pub fn decode(message: &[u8]) -> Result<Self, ResponseError> {
        for field in Fields::of(message) {
            let (number, Value::Bytes(bytes)) = field.map_err(|_| ResponseError)? else { continue };
            let fields = Message::parse(bytes).map_err(|_| ResponseError)?;
            if let Some(payload) = Payload::read(number, fields) {
                let error = AesmError::from_number(fields.integer32(1).unwrap_or(1));
                return Ok(Self { error, payload });
            }
        }
        Err(ResponseError)
    }

    /// The frame with this response.
    #[must_use]
    pub fn to_frame(&self) -> Vec<u8> {
        let error = self.error.map_or(0, AesmError::number);
        let fields = self.payload.write(Writer::default().integer32(1, error));
        frame(self.payload.number(), &fields)
    }
}

impl Payload {
    /// The field number of the reply, the request's own but for an unsupported request.
    fn number(&self) -> u32 {
        let operation = match self {
            Self::InitQuoteEx { .. } => Operation::InitQuoteEx,
            Self::GetQuoteSizeEx { .. } => Operation::GetQuoteSizeEx,
            Self::GetQuoteEx { .. } => Operation::GetQuoteEx,
            Self::SelectAttKeyId { .. } => Operation::SelectAttKeyId,
            Self::GetSupportedAttKeyIdNum { .. } => Operation::GetSupportedAttKeyIdNum,
            Self::GetSupportedAttKeyIds { .. } => Operation::GetSupportedAttKeyIds,
            Self::InitQuote { .. } => Operation::InitQuote,
            Self::GetQuote { .. } => Operation::GetQuote,
            Self::GetLaunchToken { .. } => Operation::GetLaunchToken,
            Self::ReportAttestationError { .. } => Operation::ReportAttestationError,
            Self::GetWhiteListSize { .. } => Operation::GetWhiteListSize,
            Self::GetWhiteList { .. } => Operation::GetWhiteList,
            Self::GetExtendedEpidGroupId { .. } => Operation::GetExtendedEpidGroupId,
            Self::SwitchExtendedEpidGroup => Operation::SwitchExtendedEpidGroup,
            Self::Register => Operation::Register,
            Self::CheckUpdateStatus { .. } => Operation::CheckUpdateStatus,
            Self::UnsupportedRequest => return UNSUPPORTED_REQUEST,
        };
        operation.number()
    }

    fn read(number: u32, fields: Message<'_>) -> Option<Self> {
        if number == UNSUPPORTED_REQUEST {
            return Some(Self::UnsupportedRequest);
        }
        let bytes = |number| fields.bytes(number).map(<[u8]>::to_vec);
        let integer = |number| fields.integer32(number);
        Some(match Operation::from_number(number)? {
            Operation::InitQuoteEx => Self::InitQuoteEx {
                target_info: bytes(2),
                pub_key_id_size: fields.integer(3).unwrap_or(0),
                pub_key_id: bytes(4),
            },
            Operation::GetQuoteSizeEx => {
                Self::GetQuoteSizeEx { quote_size: integer(2).unwrap_or(0) }
            }
            Operation::GetQuoteEx => Self::GetQuoteEx { quote: bytes(2), qe_report_info: bytes(3) },
            Operation::SelectAttKeyId => Self::SelectAttKeyId { selected_att_key_id: bytes(2) },
            Operation::GetSupportedAttKeyIdNum => {
                Self::GetSupportedAttKeyIdNum { att_key_id_num: integer(2).unwrap_or(0) }
            }
            Operation::GetSupportedAttKeyIds => {
                Self::GetSupportedAttKeyIds { att_key_ids: bytes(2) }
            }
            Operation::InitQuote => Self::InitQuote { target_info: bytes(2), gid: bytes(3) },
            Operation::GetQuote => Self::GetQuote { quote: bytes(2), qe_report: bytes(3) },
            Operation::GetLaunchToken => Self::GetLaunchToken { token: bytes(2) },
            Operation::ReportAttestationError => {
                Self::ReportAttestationError { platform_update_info: bytes(2) }
            }
            Operation::GetWhiteListSize => Self::GetWhiteListSize { white_list_size: integer(2) },
            Operation::GetWhiteList => Self::GetWhiteList { white_list: bytes(2) },
            Operation::GetExtendedEpidGroupId => {
                Self::GetExtendedEpidGroupId { x_group_id: integer(2) }
            }
            Operation::SwitchExtendedEpidGroup => Self::SwitchExtendedEpidGroup,
            Operation::Register => Self::Register,
            Operation::CheckUpdateStatus => {
                Self::CheckUpdateStatus { platform_update_info: bytes(2), status: integer(3) }
            }
        })
    }

    fn write(&self, fields: Writer) -> Writer {
        match self {
            Self::InitQuoteEx { target_info, pub_key_id_size, pub_key_id } => fields
                .bytes(2, target_info.as_deref())
                .integer(3, *pub_key_id_size)
                .bytes(4, pub_key_id.as_deref()),
            Self::GetQuoteSizeEx { quote_size } => fields.integer32(2, *quote_size),
            Self::GetQuoteEx { quote: first, qe_report_info: second }
            | Self::InitQuote { target_info: first, gid: second }
            | Self::GetQuote { quote: first, qe_report: second } => {
                fields.bytes(2, first.as_deref()).bytes(3, second.as_deref())
            }
            Self::GetSupportedAttKeyIdNum { att_key_id_num } => {
                fields.integer32(2, *att_key_id_num)
            }
            Self::SelectAttKeyId { selected_att_key_id: bytes }
            | Self::GetSupportedAttKeyIds { att_key_ids: bytes }
            | Self::GetLaunchToken { token: bytes }
            | Self::ReportAttestationError { platform_update_info: bytes }
            | Self::GetWhiteList { white_list: bytes } => fields.bytes(2, bytes.as_deref()),
            Self::GetWhiteListSize { white_list_size: integer }
            | Self::GetExtendedEpidGroupId { x_group_id: integer } => fields.integer32(2, *integer),
            Self::CheckUpdateStatus { platform_update_info, status } => {
                fields.bytes(2, platform_update_info.as_deref()).integer32(3, *status)
            }
            Self::SwitchExtendedEpidGroup | Self::Register | Self::UnsupportedRequest => fields,
        }
    }
}
