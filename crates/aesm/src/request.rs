//! Requests: what a client asks of the service.

use crate::frame::frame;
use crate::wire::{Fields, Malformed, Message, Value, Writer};

/// The operations of the protocol, by the field number that request and reply share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the protocol's own, explained at `Request`")]
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
    /// Of several sub-messages in one request the first one in this order counts.
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

    /// The operation of a request by the key of its first field, at most 5 bytes, where the rest is
    /// not kept.
    #[must_use]
    pub fn of_first_field(beginning: &[u8]) -> Option<Self> {
        Self::from_number(Fields::of(beginning).next_number()?)
    }

    /// The field number of the optional timeout within the request.
    fn timeout_number(self) -> u32 {
        if self == Self::SelectAttKeyId { 2 } else { 9 }
    }
}

/// A request as it is on the wire: byte strings of any size, `None` where an optional field is absent.
///
/// The first six are the ECDSA part, which this project serves. The others belong to EPID, launch
/// control and updates; no ECDSA-only service answers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Makes the attestation key ready and asks for the QE's target info.
    InitQuoteEx {
        /// An attestation key id.
        att_key_id: Option<&'a [u8]>,
        /// Whether the reply is to hold target info and public key id, rather than just sizes.
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
    /// EPID: begins a quote.
    InitQuote,
    /// EPID: asks for a quote.
    GetQuote {
        /// The application enclave's REPORT.
        report: &'a [u8],
        /// 0 unlinkable, 1 linkable.
        quote_type: u32,
        /// Service provider id.
        spid: &'a [u8],
        /// The caller's nonce.
        nonce: Option<&'a [u8]>,
        /// Signature revocation list.
        sig_rl: Option<&'a [u8]>,
        /// Size of the caller's buffer for the quote, in bytes.
        buf_size: u32,
        /// Whether a REPORT of the QE is wanted.
        qe_report: Option<bool>,
    },
    /// Launch control: asks for an EINIT token.
    GetLaunchToken {
        /// MRENCLAVE of the enclave to launch.
        mr_enclave: &'a [u8],
        /// The signer's public key.
        mr_signer: &'a [u8],
        /// ATTRIBUTES of the enclave to launch.
        se_attributes: &'a [u8],
    },
    /// EPID: reports that an attestation failed.
    ReportAttestationError {
        /// Platform info blob.
        platform_info: &'a [u8],
        /// What the attestation service answered.
        attestation_error_code: u32,
        /// Size of the caller's buffer for update information, in bytes.
        update_info_size: u32,
    },
    /// Launch control: asks for the size of the white list.
    GetWhiteListSize,
    /// Launch control: asks for the white list.
    GetWhiteList {
        /// Size of the white list, in bytes.
        white_list_size: u32,
    },
    /// EPID: asks for the extended group id.
    GetExtendedEpidGroupId,
    /// EPID: changes the extended group id.
    SwitchExtendedEpidGroup {
        /// The extended group id.
        x_group_id: u32,
    },
    /// Registers data with the platform service.
    Register {
        /// The data.
        buf: &'a [u8],
        /// What it is.
        data_type: u32,
    },
    /// Updates: asks whether the platform needs one.
    CheckUpdateStatus {
        /// Platform info blob.
        platform_info: &'a [u8],
        /// Size of the caller's buffer for update information, in bytes.
        update_info_size: Option<u32>,
        /// What is to be checked.
        config: Option<u32>,
    },
}

/// A request that cannot be served as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No operation can be told from the bytes, so there is no form for a reply.
    #[error("the message holds no request of the AESM protocol")]
    Unrecognized,
    /// The operation can be told, but its sub-message is cut short or lacks a required field.
    #[error("the {0:?} request is cut short or lacks a required field")]
    Malformed(Operation),
}

impl<'a> Request<'a> {
    /// Reads a message.
    ///
    /// What comes after a whole sub-message does not matter; of several the first in the order of
    /// the ECDSA operations' numbers counts, then the others.
    ///
    /// # Errors
    /// [`RequestError`] tells whether a reply is possible.
    pub fn decode(message: &'a [u8]) -> Result<Self, RequestError> {
        let (operation, bytes) = sub_message(message).ok_or(RequestError::Unrecognized)?;
        bytes
            .and_then(Message::parse)
            .and_then(|fields| Self::read(operation, fields))
            .map_err(|Malformed| RequestError::Malformed(operation))
    }

    /// The frame with this request, and with the time in milliseconds that the caller has.
    #[must_use]
    pub fn to_frame(&self, timeout_ms: Option<u32>) -> Vec<u8> {
        let operation = self.operation();
        let fields = self.write().integer32(operation.timeout_number(), timeout_ms);
        frame(operation.number(), &fields)
    }

    /// Which operation is asked for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::InitQuoteEx { .. } => Operation::InitQuoteEx,
            Self::GetQuoteSizeEx { .. } => Operation::GetQuoteSizeEx,
            Self::GetQuoteEx { .. } => Operation::GetQuoteEx,
            Self::SelectAttKeyId { .. } => Operation::SelectAttKeyId,
            Self::GetSupportedAttKeyIdNum => Operation::GetSupportedAttKeyIdNum,
            Self::GetSupportedAttKeyIds { .. } => Operation::GetSupportedAttKeyIds,
            Self::InitQuote => Operation::InitQuote,
            Self::GetQuote { .. } => Operation::GetQuote,
            Self::GetLaunchToken { .. } => Operation::GetLaunchToken,
            Self::ReportAttestationError { .. } => Operation::ReportAttestationError,
            Self::GetWhiteListSize => Operation::GetWhiteListSize,
            Self::GetWhiteList { .. } => Operation::GetWhiteList,
            Self::GetExtendedEpidGroupId => Operation::GetExtendedEpidGroupId,
            Self::SwitchExtendedEpidGroup { .. } => Operation::SwitchExtendedEpidGroup,
            Self::Register { .. } => Operation::Register,
            Self::CheckUpdateStatus { .. } => Operation::CheckUpdateStatus,
        }
    }

    fn read(operation: Operation, fields: Message<'a>) -> Result<Self, Malformed> {
        let bytes = |number| fields.bytes(number).ok_or(Malformed);
        let integer = |number| fields.integer32(number).ok_or(Malformed);
        Ok(match operation {
            Operation::InitQuoteEx => Self::InitQuoteEx {
                att_key_id: fields.bytes(1),
                with_pub_key_id: fields.integer(3).ok_or(Malformed)? != 0,
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
            Operation::InitQuote => Self::InitQuote,
            Operation::GetQuote => Self::GetQuote {
                report: bytes(1)?,
                quote_type: integer(2)?,
                spid: bytes(3)?,
                nonce: fields.bytes(4),
                sig_rl: fields.bytes(5),
                buf_size: integer(6)?,
                qe_report: fields.integer(7).map(|integer| integer != 0),
            },
            Operation::GetLaunchToken => Self::GetLaunchToken {
                mr_enclave: bytes(1)?,
                mr_signer: bytes(2)?,
                se_attributes: bytes(3)?,
            },
            Operation::ReportAttestationError => Self::ReportAttestationError {
                platform_info: bytes(1)?,
                attestation_error_code: integer(2)?,
                update_info_size: integer(3)?,
            },
            Operation::GetWhiteListSize => Self::GetWhiteListSize,
            Operation::GetWhiteList => Self::GetWhiteList { white_list_size: integer(1)? },
            Operation::GetExtendedEpidGroupId => Self::GetExtendedEpidGroupId,
            Operation::SwitchExtendedEpidGroup => {
                Self::SwitchExtendedEpidGroup { x_group_id: integer(1)? }
            }
            Operation::Register => Self::Register { buf: bytes(1)?, data_type: integer(2)? },
            Operation::CheckUpdateStatus => Self::CheckUpdateStatus {
                platform_info: bytes(1)?,
                update_info_size: fields.integer32(2),
                config: fields.integer32(3),
            },
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
            Self::GetQuote { report, quote_type, spid, nonce, sig_rl, buf_size, qe_report } => {
                fields
                    .bytes(1, report)
                    .integer32(2, quote_type)
                    .bytes(3, spid)
                    .bytes(4, nonce)
                    .bytes(5, sig_rl)
                    .integer32(6, buf_size)
                    .integer(7, qe_report.map(u64::from))
            }
            Self::GetLaunchToken { mr_enclave, mr_signer, se_attributes } => {
                fields.bytes(1, mr_enclave).bytes(2, mr_signer).bytes(3, se_attributes)
            }
            Self::ReportAttestationError {
                platform_info,
                attestation_error_code,
                update_info_size,
            } => fields
                .bytes(1, platform_info)
                .integer32(2, attestation_error_code)
                .integer32(3, update_info_size),
            Self::GetWhiteList { white_list_size } => fields.integer32(1, white_list_size),
            Self::SwitchExtendedEpidGroup { x_group_id } => fields.integer32(1, x_group_id),
            Self::Register { buf, data_type } => fields.bytes(1, buf).integer32(2, data_type),
            Self::CheckUpdateStatus { platform_info, update_info_size, config } => {
                fields.bytes(1, platform_info).integer32(2, update_info_size).integer32(3, config)
            }
            Self::GetSupportedAttKeyIdNum
            | Self::InitQuote
            | Self::GetWhiteListSize
            | Self::GetExtendedEpidGroupId => fields,
        }
    }
}

/// The sub-message that counts, damaged or not, and the operation it stands for.
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
