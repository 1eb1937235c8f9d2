//! The check of a reply.

use aesm::{Payload, Request};
use quoting::{QuoteReply, QuoteRequest};
use sgx::{AesmError, AttestationKeyId, FromBytes, QeReportInfo, Quote, TargetInfo};

/// The size of a public key id, a SHA-256, in bytes.
const PUB_KEY_ID_SIZE: u64 = 32;

/// The largest quote that a client makes room for, in bytes; today's have less than 5,000.
const MAX_QUOTE_SIZE: u32 = 64 * 1024;

/// A client's requirement of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The service has at least one key id.
    AKeyId,
    /// The list of key ids has exactly the size of the client's buffer.
    KeyIdsFillBuffer,
    /// One of the key ids is that of Intel's ECDSA P-256 key.
    EcdsaKeyId,
    /// The selected key id is that of Intel's ECDSA P-256 key, in 256 bytes.
    SelectedKeyId,
    /// The size of the public key id is 32: clients allocate as much, or have it built in.
    PubKeyIdSize,
    /// The target info has 512 bytes.
    TargetInfo,
    /// The public key id has the size in the reply, and that of the client's buffer.
    PubKeyIdFillsBuffer,
    /// The size of a quote is more than that of its header and body, and no more than 64 KiB.
    QuoteSize,
    /// The quote is padded to exactly the size of the client's buffer.
    QuoteFillsBuffer,
    /// The quote is one of the request's REPORT; the QE's REPORT, if requested, is over nonce and
    /// quote.
    QuoteAnswersRequest,
    /// The service refuses the request with this error.
    Refusal(AesmError),
}

impl Requirement {
    /// Checks a reply. `asked` is the request for a quote, as values.
    pub(crate) fn check(
        self,
        request: &Request<'_>,
        asked: Option<&QuoteRequest>,
        payload: &Payload,
    ) -> Result<(), String> {
        match (self, payload) {
            (Self::AKeyId, Payload::GetSupportedAttKeyIdNum { att_key_id_num }) => {
                at_least_one(*att_key_id_num)
            }
            (Self::KeyIdsFillBuffer, Payload::GetSupportedAttKeyIds { att_key_ids }) => {
                fills("att_key_ids", att_key_ids.as_deref(), buffer_of(request))
            }
            (Self::EcdsaKeyId, Payload::GetSupportedAttKeyIds { att_key_ids }) => {
                let found = ecdsa_key_id(att_key_ids.as_deref().unwrap_or_default());
                found.map(drop).ok_or_else(|| "no key id is for ECDSA P-256".to_owned())
            }
            (Self::SelectedKeyId, Payload::SelectAttKeyId { selected_att_key_id: selected }) => {
                fills("selected_att_key_id", selected.as_deref(), 256)?;
                let found = ecdsa_key_id(selected.as_deref().unwrap_or_default());
                found.map(drop).ok_or_else(|| "the key id is not for ECDSA P-256".to_owned())
            }
            (Self::PubKeyIdSize, Payload::InitQuoteEx { pub_key_id_size, .. }) => {
                is("pub_key_id_size", *pub_key_id_size, PUB_KEY_ID_SIZE)
            }
            (Self::TargetInfo, Payload::InitQuoteEx { target_info, .. }) => {
                fills("target_info", target_info.as_deref(), size_of::<TargetInfo>() as u64)
            }
            (
                Self::PubKeyIdFillsBuffer,
                Payload::InitQuoteEx { pub_key_id_size, pub_key_id, .. },
            ) => {
                is("pub_key_id_size", *pub_key_id_size, PUB_KEY_ID_SIZE)?;
                fills("pub_key_id", pub_key_id.as_deref(), buffer_of(request))
            }
            (Self::QuoteSize, Payload::GetQuoteSizeEx { quote_size }) => is_quote_size(*quote_size),
            (Self::QuoteFillsBuffer, Payload::GetQuoteEx { quote, .. }) => {
                fills("quote", quote.as_deref(), buffer_of(request))
            }
            (Self::QuoteAnswersRequest, Payload::GetQuoteEx { quote, qe_report_info }) => {
                answers(asked, quote.as_deref(), qe_report_info.as_deref())
            }
            // The error code has been checked.
            (Self::Refusal(_), _) => Ok(()),
            _ => Err("the reply is to another request".to_owned()),
        }
    }
}

/// The first id of Intel's ECDSA P-256 key in a list.
pub(crate) fn ecdsa_key_id(ids: &[u8]) -> Option<&[u8]> {
    ids.chunks(size_of::<AttestationKeyId>()).find(|bytes| {
        AttestationKeyId::read_from_bytes(bytes)
            .is_ok_and(|id| AttestationKeyId::ecdsa_p256().names_same_key(&id))
    })
}

/// The quote without padding.
pub(crate) fn unpadded(quote: &[u8]) -> Result<Vec<u8>, String> {
    let parsed = Quote::parse_padded(quote);
    parsed.map(|quote| quote.to_bytes()).map_err(|error| format!("it is not a quote: {error}"))
}

/// The size of the client's buffer, in bytes.
fn buffer_of(request: &Request<'_>) -> u64 {
    match *request {
        Request::InitQuoteEx { buf_size, .. } => buf_size.unwrap_or(0),
        Request::GetQuoteEx { buf_size, .. } | Request::GetSupportedAttKeyIds { buf_size } => {
            buf_size.into()
        }
        _ => 0,
    }
}

fn at_least_one(key_ids: u32) -> Result<(), String> {
    match key_ids {
        0 => Err("the service has no attestation key".to_owned()),
        _ => Ok(()),
    }
}

fn is_quote_size(size: u32) -> Result<(), String> {
    match usize::try_from(size).is_ok_and(|size| size > Quote::SIGNED_SIZE)
        && size <= MAX_QUOTE_SIZE
    {
        true => Ok(()),
        false => Err(format!("quote_size is {size}, which no quote has")),
    }
}

fn is(field: &str, value: u64, expected: u64) -> Result<(), String> {
    match value == expected {
        true => Ok(()),
        false => Err(format!("{field} is {value}, not {expected}")),
    }
}

fn fills(field: &str, bytes: Option<&[u8]>, expected: u64) -> Result<(), String> {
    match bytes {
        None => Err(format!("{field} is absent")),
        Some(bytes) if bytes.len() as u64 == expected => Ok(()),
        Some(bytes) => Err(format!("{field} has {} bytes, not {expected}", bytes.len())),
    }
}

fn answers(
    asked: Option<&QuoteRequest>,
    quote: Option<&[u8]>,
    qe_report_info: Option<&[u8]>,
) -> Result<(), String> {
    let (Some(asked), Some(quote)) = (asked, quote) else {
        return Err("quote is absent".to_owned());
    };
    let read = |bytes: &[u8]| {
        let size = bytes.len();
        QeReportInfo::read_from_bytes(bytes)
            .map_err(|_| format!("qe_report_info has {size} bytes, not 960"))
    };
    // Without a request for it, clients ignore it.
    let qe_report_info = qe_report_info.filter(|_| asked.qe_report_info.is_some());
    let qe_report_info = qe_report_info.map(read).transpose()?;
    let reply = QuoteReply { quote: unpadded(quote)?, qe_report_info };
    asked.check(&reply).map_err(|wrong| wrong.to_string())
}
