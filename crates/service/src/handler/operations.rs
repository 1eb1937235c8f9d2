//! The operations of the protocol, over a Quoter: bytes become SGX types here, or are refused here
//! with the official code.

use aesm::Payload;
use quoting::{QuoteReply, QuoteRequest, Quoter, QuotingError};
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, TargetInfo};

/// The largest buffer that a client may have its quote padded to, in bytes. A quote has less than
/// 5,000; known clients ask for 8,192 at the most.
pub const MAX_QUOTE_BUFFER: u32 = 64 * 1024;

/// The size of a public key id: SHA-256.
const PUB_KEY_ID_SIZE: u64 = 32;

pub(super) fn initialize(
    quoter: &dyn Quoter,
    key_id: Option<&[u8]>,
    with_pub_key_id: bool,
    buf_size: Option<u64>,
) -> Result<Payload, QuotingError> {
    let key_id = known_key_id(quoter, key_id)?;
    if !with_pub_key_id {
        // The client asks for the size alone, and does not mean its buf_size.
        return Ok(Payload::InitQuoteEx {
            target_info: Some(TargetInfo::default().as_bytes().to_vec()),
            pub_key_id_size: PUB_KEY_ID_SIZE,
            pub_key_id: None,
        });
    }
    if buf_size != Some(PUB_KEY_ID_SIZE) {
        return Err(parameter("the buffer for the public key id does not have 32 bytes"));
    }
    let key = quoter.initialize(&key_id)?;
    Ok(Payload::InitQuoteEx {
        target_info: Some(key.target_info.as_bytes().to_vec()),
        pub_key_id_size: PUB_KEY_ID_SIZE,
        pub_key_id: Some(key.public_key_id.to_vec()),
    })
}

pub(super) fn quote_size(
    quoter: &dyn Quoter,
    key_id: Option<&[u8]>,
) -> Result<Payload, QuotingError> {
    let quote_size = quoter.quote_size(&known_key_id(quoter, key_id)?)?;
    Ok(Payload::GetQuoteSizeEx { quote_size })
}

/// The request for a quote, with all its fields checked.
pub(super) fn quote_request(
    quoter: &dyn Quoter,
    report: &[u8],
    key_id: Option<&[u8]>,
    qe_report_info: Option<&[u8]>,
    buf_size: u32,
) -> Result<QuoteRequest, QuotingError> {
    let key_id = known_key_id(quoter, key_id)?;
    let wrong = |error: sgx::SizeError| parameter(error.to_string());
    let report = sgx::parse("REPORT", report).map_err(wrong)?;
    let info = qe_report_info.map(|bytes| sgx::parse("QE report info", bytes));
    let qe_report_info = info.transpose().map_err(wrong)?;
    let quote_size = quoter.quote_size(&key_id)?;
    if !(quote_size..=MAX_QUOTE_BUFFER).contains(&buf_size) {
        return Err(parameter(format!(
            "the buffer for the quote has {buf_size} bytes, not {quote_size} to {MAX_QUOTE_BUFFER}"
        )));
    }
    Ok(QuoteRequest { report, key_id, qe_report_info })
}

/// The reply with a quote, padded to the caller's buffer. With new certification data a quote may
/// have outgrown the size that the caller was told.
pub(super) fn quote(reply: QuoteReply, buf_size: u32) -> Result<Payload, QuotingError> {
    let QuoteReply { mut quote, qe_report_info } = reply;
    if quote.len() > buf_size as usize {
        return Err(parameter(format!(
            "the quote has {} bytes, the buffer {buf_size}",
            quote.len()
        )));
    }
    quote.resize(buf_size as usize, 0);
    let qe_report_info = qe_report_info.map(|info| info.as_bytes().to_vec());
    Ok(Payload::GetQuoteEx { quote: Some(quote), qe_report_info })
}

pub(super) fn select(quoter: &dyn Quoter, list: Option<&[u8]>) -> Result<Payload, QuotingError> {
    let known = quoter.attestation_key_ids()?;
    let selected = AttestationKeyId::select(&known, list)
        .map_err(|code| QuotingError::new(code, "no attestation key id can be selected"))?;
    Ok(Payload::SelectAttKeyId { selected_att_key_id: Some(selected.as_bytes().to_vec()) })
}

pub(super) fn key_id_number(quoter: &dyn Quoter) -> Result<Payload, QuotingError> {
    let number = some_key_ids(quoter)?.len();
    let att_key_id_num = u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Payload::GetSupportedAttKeyIdNum { att_key_id_num })
}

pub(super) fn key_ids(quoter: &dyn Quoter, buf_size: u32) -> Result<Payload, QuotingError> {
    let key_ids = some_key_ids(quoter)?;
    let bytes = key_ids.as_bytes().to_vec();
    if usize::try_from(buf_size) != Ok(bytes.len()) {
        let size = bytes.len();
        return Err(parameter(format!("the buffer for the ids does not have {size} bytes")));
    }
    Ok(Payload::GetSupportedAttKeyIds { att_key_ids: Some(bytes) })
}

fn some_key_ids(quoter: &dyn Quoter) -> Result<Vec<AttestationKeyId>, QuotingError> {
    let key_ids = quoter.attestation_key_ids()?;
    if key_ids.is_empty() {
        let detail = "there is no attestation key";
        return Err(QuotingError::new(AesmError::ServiceUnavailable, detail));
    }
    Ok(key_ids)
}

/// The attestation key that the caller's id names. Bytes after the first 256 are ignored.
fn known_key_id(
    quoter: &dyn Quoter,
    bytes: Option<&[u8]>,
) -> Result<AttestationKeyId, QuotingError> {
    let (named, _) = AttestationKeyId::read_from_prefix(bytes.unwrap_or_default())
        .map_err(|_| parameter("the attestation key id has less than 256 bytes"))?;
    let mut known = quoter.attestation_key_ids()?.into_iter();
    known.find(|known| known.names_same_key(&named)).ok_or_else(|| {
        let detail = "no attestation key has the caller's id";
        QuotingError::new(AesmError::UnsupportedAttKeyId, detail)
    })
}

fn parameter(detail: impl Into<String>) -> QuotingError {
    QuotingError::new(AesmError::Parameter, detail)
}
