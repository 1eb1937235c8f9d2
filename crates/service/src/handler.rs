//! One request: bytes become SGX types here, or are refused here with the official code.

use std::sync::Arc;
use std::time::Duration;

use aesm::{Operation, Payload, Request, RequestError, Response};
use quoting::{QuoteRequest, Quoter, QuotingError};
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, TargetInfo, U16, U32};
use tracing::{debug, warn};

use crate::limits::Limits;
use crate::quote_queue::QuoteQueue;

/// The largest buffer that a client may have its quote padded to, in bytes. A quote has less than
/// 5,000; known clients ask for 8,192 at the most.
pub const MAX_QUOTE_BUFFER: u32 = 64 * 1024;

/// The size of a public key id: SHA-256.
const PUB_KEY_ID_SIZE: u64 = 32;

/// At most so many attestation key ids are in a list.
const MAX_LISTED_KEY_IDS: usize = 10;

/// Answers requests by what its Quoter says.
pub(crate) struct Handler {
    quoter: Arc<dyn Quoter>,
    queue: QuoteQueue,
    quote_timeout: Duration,
}

impl Handler {
    pub(crate) fn start(quoter: Arc<dyn Quoter>, limits: &Limits) -> std::io::Result<Self> {
        let queue = QuoteQueue::start(&quoter, limits.quoting_threads, limits.queued_quotes)?;
        Ok(Self { quoter, queue, quote_timeout: limits.quote_timeout })
    }

    /// The operation and the response; `None` where the protocol's answer is to close the connection,
    /// since any reply would crash the client that sent the request.
    pub(crate) async fn answer(&self, message: &[u8]) -> Option<(Operation, Response)> {
        let request = match Request::decode(message) {
            Ok(request) => request,
            Err(RequestError::Malformed(operation)) => {
                let payload = empty_payload(operation)?;
                let error = Some(AesmError::Unexpected);
                return Some((operation, Response { error, payload }));
            }
            Err(RequestError::Unrecognized) => return None,
        };
        let (error, payload) = match self.serve(&request).await? {
            Ok(payload) => (None, payload),
            Err(error) => {
                report(request.operation(), &error);
                (Some(error.code()), failed_payload(&request)?)
            }
        };
        Some((request.operation(), Response { error, payload }))
    }

    async fn serve(&self, request: &Request<'_>) -> Option<Result<Payload, QuotingError>> {
        Some(match *request {
            Request::InitQuoteEx { att_key_id, with_pub_key_id, buf_size } => {
                self.initialize(att_key_id, with_pub_key_id, buf_size)
            }
            Request::GetQuoteSizeEx { att_key_id } => self.quote_size(att_key_id),
            Request::GetQuoteEx { report, att_key_id, qe_report_info, buf_size } => {
                self.quote(report, att_key_id, qe_report_info, buf_size).await
            }
            Request::SelectAttKeyId { att_key_id_list } => self.select(att_key_id_list),
            Request::GetSupportedAttKeyIdNum => self.key_id_number(),
            Request::GetSupportedAttKeyIds { buf_size } => self.key_ids(buf_size),
            Request::InitQuote
            | Request::GetQuote { .. }
            | Request::GetLaunchToken { .. }
            | Request::ReportAttestationError { .. }
            | Request::GetWhiteListSize
            | Request::GetWhiteList { .. }
            | Request::GetExtendedEpidGroupId
            | Request::SwitchExtendedEpidGroup { .. }
            | Request::Register { .. }
            | Request::CheckUpdateStatus { .. } => return None,
        })
    }

    fn initialize(
        &self,
        key_id: Option<&[u8]>,
        with_pub_key_id: bool,
        buf_size: Option<u64>,
    ) -> Result<Payload, QuotingError> {
        let key_id = self.known_key_id(key_id)?;
        if !with_pub_key_id {
            // Only the size is asked for; whatever buf_size says, the client does not mean it.
            return Ok(Payload::InitQuoteEx {
                target_info: Some(TargetInfo::default().as_bytes().to_vec()),
                pub_key_id_size: PUB_KEY_ID_SIZE,
                pub_key_id: None,
            });
        }
        if buf_size != Some(PUB_KEY_ID_SIZE) {
            return Err(parameter("the buffer for the public key id is not of 32 bytes"));
        }
        let key = self.quoter.initialize(&key_id)?;
        Ok(Payload::InitQuoteEx {
            target_info: Some(key.target_info.as_bytes().to_vec()),
            pub_key_id_size: PUB_KEY_ID_SIZE,
            pub_key_id: Some(key.public_key_id.to_vec()),
        })
    }

    fn quote_size(&self, key_id: Option<&[u8]>) -> Result<Payload, QuotingError> {
        let quote_size = self.quoter.quote_size(&self.known_key_id(key_id)?)?;
        Ok(Payload::GetQuoteSizeEx { quote_size })
    }

    async fn quote(
        &self,
        report: &[u8],
        key_id: Option<&[u8]>,
        qe_report_info: Option<&[u8]>,
        buf_size: u32,
    ) -> Result<Payload, QuotingError> {
        let key_id = self.known_key_id(key_id)?;
        let parsed = |error: sgx::SizeError| parameter(error.to_string());
        let request = QuoteRequest {
            report: sgx::parse("REPORT", report).map_err(parsed)?,
            key_id,
            qe_report_info: qe_report_info
                .map(|bytes| sgx::parse("QE report info", bytes))
                .transpose()
                .map_err(parsed)?,
        };
        let quote_size = self.quoter.quote_size(&key_id)?;
        if !(quote_size..=MAX_QUOTE_BUFFER).contains(&buf_size) {
            return Err(parameter(format!(
                "the buffer for the quote has {buf_size} bytes, not {quote_size} to {MAX_QUOTE_BUFFER}"
            )));
        }
        let quote = tokio::time::timeout(self.quote_timeout, self.queue.quote(request));
        let mut reply = quote.await.map_err(|_| {
            let detail = format!("no quote was made within {:?}", self.quote_timeout);
            QuotingError::new(AesmError::ServiceUnavailable, detail)
        })??;
        reply.quote.resize(buf_size as usize, 0);
        Ok(Payload::GetQuoteEx {
            quote: Some(reply.quote),
            qe_report_info: reply.qe_report_info.map(|info| info.as_bytes().to_vec()),
        })
    }

    fn select(&self, list: Option<&[u8]>) -> Result<Payload, QuotingError> {
        let known = self.quoter.attestation_key_ids()?;
        let selected = match list {
            None => known.first().copied(),
            Some(list) => key_ids_in(list)?
                .into_iter()
                .find(|listed| known.iter().any(|known| known.names_same_key(listed))),
        };
        let selected = selected.ok_or_else(unsupported_key_id)?;
        Ok(Payload::SelectAttKeyId { selected_att_key_id: Some(selected.as_bytes().to_vec()) })
    }

    fn key_id_number(&self) -> Result<Payload, QuotingError> {
        let number = self.some_key_ids()?.len();
        let att_key_id_num = u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Payload::GetSupportedAttKeyIdNum { att_key_id_num })
    }

    fn key_ids(&self, buf_size: u32) -> Result<Payload, QuotingError> {
        let key_ids = self.some_key_ids()?;
        let bytes = key_ids.as_bytes().to_vec();
        if usize::try_from(buf_size) != Ok(bytes.len()) {
            return Err(parameter(format!("the buffer for the ids is not of {}", bytes.len())));
        }
        Ok(Payload::GetSupportedAttKeyIds { att_key_ids: Some(bytes) })
    }

    fn some_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        let key_ids = self.quoter.attestation_key_ids()?;
        if key_ids.is_empty() {
            let detail = "there is no attestation key";
            return Err(QuotingError::new(AesmError::ServiceUnavailable, detail));
        }
        Ok(key_ids)
    }

    /// The attestation key that the caller's id names. What follows after 256 bytes does not count.
    fn known_key_id(&self, bytes: Option<&[u8]>) -> Result<AttestationKeyId, QuotingError> {
        let (named, _) = AttestationKeyId::read_from_prefix(bytes.unwrap_or_default())
            .map_err(|_| parameter("the attestation key id has less than 256 bytes"))?;
        let mut known = self.quoter.attestation_key_ids()?.into_iter();
        known.find(|known| known.names_same_key(&named)).ok_or_else(unsupported_key_id)
    }
}

/// The ids of an attestation key id list: id 0, version 0 (2 bytes each), count (4), ids (256 each).
fn key_ids_in(list: &[u8]) -> Result<Vec<AttestationKeyId>, QuotingError> {
    let wrong = |_| parameter("the attestation key id list is not of its form");
    let (id, rest) = U16::read_from_prefix(list).map_err(|error| wrong(error.to_string()))?;
    let (version, rest) = U16::read_from_prefix(rest).map_err(|error| wrong(error.to_string()))?;
    let (count, rest) = U32::read_from_prefix(rest).map_err(|error| wrong(error.to_string()))?;
    let (ids, excess) = rest.as_chunks::<{ size_of::<AttestationKeyId>() }>();
    let well_formed = id == 0
        && version == 0
        && excess.is_empty()
        && ids.len() <= MAX_LISTED_KEY_IDS
        && usize::try_from(count.get()) == Ok(ids.len());
    if !well_formed {
        return Err(wrong(String::new()));
    }
    ids.iter()
        .map(|id| AttestationKeyId::read_from_bytes(id).map_err(|error| wrong(error.to_string())))
        .collect()
}

/// What a failed request's reply holds besides the error: numbers are there even then.
fn failed_payload(request: &Request<'_>) -> Option<Payload> {
    let mut payload = empty_payload(request.operation())?;
    match (&mut payload, request) {
        (Payload::InitQuoteEx { pub_key_id_size, .. }, Request::InitQuoteEx { buf_size, .. }) => {
            *pub_key_id_size = buf_size.unwrap_or(0);
        }
        (
            Payload::GetQuoteEx { qe_report_info, .. },
            Request::GetQuoteEx { qe_report_info: info, .. },
        ) => *qe_report_info = info.map(<[u8]>::to_vec),
        _ => {}
    }
    Some(payload)
}

/// The form of the reply to an operation that this service knows.
fn empty_payload(operation: Operation) -> Option<Payload> {
    Some(match operation {
        Operation::InitQuoteEx => {
            Payload::InitQuoteEx { target_info: None, pub_key_id_size: 0, pub_key_id: None }
        }
        Operation::GetQuoteSizeEx => Payload::GetQuoteSizeEx { quote_size: 0 },
        Operation::GetQuoteEx => Payload::GetQuoteEx { quote: None, qe_report_info: None },
        Operation::SelectAttKeyId => Payload::SelectAttKeyId { selected_att_key_id: None },
        Operation::GetSupportedAttKeyIdNum => {
            Payload::GetSupportedAttKeyIdNum { att_key_id_num: 0 }
        }
        Operation::GetSupportedAttKeyIds => Payload::GetSupportedAttKeyIds { att_key_ids: None },
        _ => return None,
    })
}

/// Callers' own mistakes are for whoever looks for them; the service's troubles are for everybody.
fn report(operation: Operation, error: &QuotingError) {
    match error.code() {
        AesmError::Parameter | AesmError::UnsupportedAttKeyId | AesmError::InvalidReport => {
            debug!(?operation, %error, "refused a request");
        }
        _ => warn!(?operation, %error, "a request failed"),
    }
}

fn parameter(detail: impl Into<String>) -> QuotingError {
    QuotingError::new(AesmError::Parameter, detail)
}

fn unsupported_key_id() -> QuotingError {
    QuotingError::new(AesmError::UnsupportedAttKeyId, "no attestation key has the caller's id")
}
