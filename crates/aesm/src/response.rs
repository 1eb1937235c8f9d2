//! Responses of the ECDSA part.

use sgx::AesmError;

use crate::frame::frame;
use crate::request::Operation;
use crate::wire::{Fields, Message, Value, Writer};

/// The field number of the reply to an unsupported request, which has no request of its own.
const UNSUPPORTED_REQUEST: u32 = 20;

/// A reply: error code and fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `None` is success.
    pub error: Option<AesmError>,
    /// The operation and its fields, some of which are present even with an error.
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
    UnsupportedRequest,
}

/// The message is not a reply of the protocol's ECDSA part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not a reply of the AESM protocol")]
pub struct ResponseError;

impl Response {
    /// Reads a message.
    ///
    /// # Errors
    /// [`ResponseError`] when it has no reply or the encoding is damaged. An absent error code
    /// means [`AesmError::Unexpected`], as the protocol says.
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
    /// The operation that this is a reply to; `None` for an unsupported request.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        Some(match self {
            Self::InitQuoteEx { .. } => Operation::InitQuoteEx,
            Self::GetQuoteSizeEx { .. } => Operation::GetQuoteSizeEx,
            Self::GetQuoteEx { .. } => Operation::GetQuoteEx,
            Self::SelectAttKeyId { .. } => Operation::SelectAttKeyId,
            Self::GetSupportedAttKeyIdNum { .. } => Operation::GetSupportedAttKeyIdNum,
            Self::GetSupportedAttKeyIds { .. } => Operation::GetSupportedAttKeyIds,
            Self::UnsupportedRequest => return None,
        })
    }

    /// The field number of the reply: the request's own, except for an unsupported request.
    fn number(&self) -> u32 {
        self.operation().map_or(UNSUPPORTED_REQUEST, Operation::number)
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
            _ => return None,
        })
    }

    fn write(&self, fields: Writer) -> Writer {
        match self {
            Self::InitQuoteEx { target_info, pub_key_id_size, pub_key_id } => fields
                .bytes(2, target_info.as_deref())
                .integer(3, *pub_key_id_size)
                .bytes(4, pub_key_id.as_deref()),
            Self::GetQuoteSizeEx { quote_size } => fields.integer32(2, *quote_size),
            Self::GetQuoteEx { quote, qe_report_info } => {
                fields.bytes(2, quote.as_deref()).bytes(3, qe_report_info.as_deref())
            }
            Self::GetSupportedAttKeyIdNum { att_key_id_num } => {
                fields.integer32(2, *att_key_id_num)
            }
            Self::SelectAttKeyId { selected_att_key_id: bytes }
            | Self::GetSupportedAttKeyIds { att_key_ids: bytes } => {
                fields.bytes(2, bytes.as_deref())
            }
            Self::UnsupportedRequest => fields,
        }
    }
}
