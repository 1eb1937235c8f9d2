//! One request: bytes become SGX types here, or are refused here with the official code.

use std::sync::Arc;
use std::time::Instant;

use aesm::{Operation, Payload, Request, RequestError, Response};
use quoting::{Manner, QuoteReply, QuoteRequest, Quoter, QuotingError};
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, ReportBody, TargetInfo};
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::audit::AuditLog;
use crate::client::Client;
use crate::failure::{empty_payload, failed_payload};
use crate::limits::Limits;
use crate::metrics::{Exhausted, Metrics, Outcome};
use crate::policy::Refusal;
use crate::quote_queue::QuoteQueue;
use crate::rules::Rules;

/// The largest buffer that a client may have its quote padded to, in bytes. A quote has less than
/// 5,000; known clients ask for 8,192 at the most.
pub const MAX_QUOTE_BUFFER: u32 = 64 * 1024;

/// The size of a public key id: SHA-256.
const PUB_KEY_ID_SIZE: u64 = 32;

/// Answers requests by what its Quoter says.
pub(crate) struct Handler {
    quoter: Arc<dyn Quoter>,
    queue: QuoteQueue,
    rules: watch::Receiver<Rules>,
    pub(crate) audit: AuditLog,
    metrics: Metrics,
}

/// What becomes of a request.
pub(crate) enum Answer {
    /// It is answered.
    Response(Response),
    /// It is answered by [`Handler::quote`], which takes its time.
    Quote(Box<QuoteOrder>),
    /// The connection is to be closed, since any reply would crash the client that sent the request.
    None,
}

/// A request for a quote in which everything is as it must be.
pub(crate) struct QuoteOrder {
    request: Box<QuoteRequest>,
    buf_size: u32,
    begin: Instant,
}

/// What becomes of a request that is well-formed.
enum Served {
    Payload(Payload),
    Quote(Box<QuoteOrder>),
}

impl Handler {
    pub(crate) fn start(
        quoter: Arc<dyn Quoter>,
        rules: watch::Receiver<Rules>,
        metrics: Metrics,
    ) -> std::io::Result<Self> {
        let limits = rules.borrow().limits.clone();
        let queue = QuoteQueue::start(Arc::clone(&quoter), &limits, metrics.clone())?;
        let audit = AuditLog::new(&metrics);
        Ok(Self { quoter, queue, rules, audit, metrics })
    }

    /// Queues quotes within these limits from now on.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.queue.set_limits(limits);
    }

    /// Answers at once all that can be answered at once.
    pub(crate) fn answer(&self, message: &[u8], client: &Client) -> Answer {
        let begin = Instant::now();
        let request = match Request::decode(message) {
            Ok(request) => request,
            Err(error) => return self.answer_damaged(error, begin),
        };
        let Some(failed) = failed_payload(&request) else { return self.none() };
        let operation = request.operation();
        match self.serve(&request, client, begin) {
            Ok(Served::Payload(payload)) => {
                Answer::Response(self.respond(operation, None, payload, begin))
            }
            Ok(Served::Quote(order)) => Answer::Quote(order),
            Err(error) => {
                log(operation, &error);
                Answer::Response(self.respond(operation, Some(error.code()), failed, begin))
            }
        }
    }

    /// Has a quote made in its turn.
    pub(crate) async fn quote(&self, order: QuoteOrder, client: &Client) -> Response {
        let QuoteOrder { request, buf_size, begin } = order;
        let echoed = request.qe_report_info.map(|info| info.as_bytes().to_vec());
        let report = request.report.body;
        let made = self.queue.quote(request, client.flow.flow);
        let quote_timeout = self.rules.borrow().limits.quote_timeout;
        let made = tokio::time::timeout(quote_timeout, made).await;
        let made = made.unwrap_or_else(|_| {
            let detail = format!("no quote was made within {quote_timeout:?}");
            Err(QuotingError::new(AesmError::ServiceUnavailable, detail))
        });
        let made = made.and_then(|reply| padded(reply, buf_size));
        let operation = Operation::GetQuoteEx;
        match self.attributed(client, &report, begin, made) {
            Ok(payload) => self.respond(operation, None, payload, begin),
            Err(error) => {
                log(operation, &error);
                let failed = Payload::GetQuoteEx { quote: None, qe_report_info: echoed };
                self.respond(operation, Some(error.code()), failed, begin)
            }
        }
    }

    /// Has it on record who asked for a quote, and what came of it.
    fn attributed(
        &self,
        client: &Client,
        report: &ReportBody,
        begin: Instant,
        outcome: Result<Payload, QuotingError>,
    ) -> Result<Payload, QuotingError> {
        let now = Instant::now();
        let latency = now.saturating_duration_since(begin);
        self.audit.record(&client.caller, report, outcome.as_ref().err(), latency, now);
        outcome
    }

    fn answer_damaged(&self, error: RequestError, begin: Instant) -> Answer {
        match error {
            RequestError::Malformed(operation) => {
                self.refuse_unread(operation, AesmError::Unexpected, begin)
            }
            RequestError::Unrecognized => self.none(),
        }
    }

    /// Answers a request that was too large to be kept, of which only the operation is known.
    pub(crate) fn answer_oversized(&self, operation: Option<Operation>) -> Answer {
        match operation {
            Some(operation) => self.refuse_unread(operation, AesmError::Parameter, Instant::now()),
            None => self.none(),
        }
    }

    /// Refuses a request whose fields are not known.
    fn refuse_unread(&self, operation: Operation, error: AesmError, begin: Instant) -> Answer {
        let Some(payload) = empty_payload(operation) else { return self.none() };
        debug!(?operation, %error, "refused a request that is damaged or too large");
        Answer::Response(self.respond(operation, Some(error), payload, begin))
    }

    /// Counts a connection for which there was no room.
    pub(crate) fn count_refused_connection(&self) {
        self.metrics.refused_as_busy(Exhausted::ConnectionsOfCaller);
    }

    fn none(&self) -> Answer {
        self.metrics.unanswered.inc();
        Answer::None
    }

    fn respond(
        &self,
        operation: Operation,
        error: Option<AesmError>,
        payload: Payload,
        begin: Instant,
    ) -> Response {
        self.metrics.record(&Outcome::of(operation, error), begin.elapsed());
        Response { error, payload }
    }

    fn serve(
        &self,
        request: &Request<'_>,
        client: &Client,
        begin: Instant,
    ) -> Result<Served, QuotingError> {
        if !client.is_within_quota() {
            let detail = Exhausted::ConnectionsOfCaller.to_string();
            return Err(QuotingError::new(AesmError::Busy, detail));
        }
        let payload = match *request {
            Request::GetQuoteEx { report, att_key_id, qe_report_info, buf_size } => {
                let request = self.quote_request(report, att_key_id, qe_report_info, buf_size)?;
                return self.start_quote(request, buf_size, client, begin);
            }
            Request::InitQuoteEx { att_key_id, with_pub_key_id, buf_size } => {
                self.initialize(att_key_id, with_pub_key_id, buf_size)
            }
            Request::GetQuoteSizeEx { att_key_id } => self.quote_size(att_key_id),
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
            | Request::CheckUpdateStatus { .. } => {
                let detail = "EPID, launch control and updates are not served";
                Err(QuotingError::new(AesmError::InterfaceUnavailable, detail))
            }
        };
        payload.map(Served::Payload)
    }

    /// Makes the quote on the spot, if that takes no time.
    fn start_quote(
        &self,
        request: QuoteRequest,
        buf_size: u32,
        client: &Client,
        begin: Instant,
    ) -> Result<Served, QuotingError> {
        let report = &request.report.body;
        let allowed = self.rules.borrow().policy.check(client.caller.uid, report);
        let made = match allowed {
            Err(refusal) => {
                self.metrics.policy_refusals.inc();
                Err(QuotingError::new(Refusal::CODE, refusal.to_string()))
            }
            Ok(()) if !matches!(self.quoter.manner(), Manner::Immediate) => {
                let request = Box::new(request);
                return Ok(Served::Quote(Box::new(QuoteOrder { request, buf_size, begin })));
            }
            Ok(()) => self.quoter.quote(&request).and_then(|reply| padded(reply, buf_size)),
        };
        self.attributed(client, report, begin, made).map(Served::Payload)
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

    fn quote_request(
        &self,
        report: &[u8],
        key_id: Option<&[u8]>,
        qe_report_info: Option<&[u8]>,
        buf_size: u32,
    ) -> Result<QuoteRequest, QuotingError> {
        let key_id = self.known_key_id(key_id)?;
        let wrong = |error: sgx::SizeError| parameter(error.to_string());
        let report = sgx::parse("REPORT", report).map_err(wrong)?;
        let info = qe_report_info.map(|bytes| sgx::parse("QE report info", bytes));
        let qe_report_info = info.transpose().map_err(wrong)?;
        let quote_size = self.quoter.quote_size(&key_id)?;
        if !(quote_size..=MAX_QUOTE_BUFFER).contains(&buf_size) {
            return Err(parameter(format!(
                "the buffer for the quote has {buf_size} bytes, not {quote_size} to {MAX_QUOTE_BUFFER}"
            )));
        }
        Ok(QuoteRequest { report, key_id, qe_report_info })
    }

    fn select(&self, list: Option<&[u8]>) -> Result<Payload, QuotingError> {
        let known = self.quoter.attestation_key_ids()?;
        let selected = AttestationKeyId::select(&known, list)
            .map_err(|code| QuotingError::new(code, "no attestation key id can be selected"))?;
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

/// The reply's fields. The quote is as long as the caller's buffer; with new certification data it may
/// have grown beyond it since the caller asked for its size.
fn padded(reply: QuoteReply, buf_size: u32) -> Result<Payload, QuotingError> {
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

/// Callers' own mistakes are for whoever looks for them, and so are the many requests that fail while
/// there is too much to do, no worker or another attestation key, which is logged once. Other troubles are for everybody.
fn log(operation: Operation, error: &QuotingError) {
    match error.code() {
        AesmError::Parameter
        | AesmError::UnsupportedAttKeyId
        | AesmError::InvalidReport
        | AesmError::Busy
        | AesmError::AttKeyNotInitialized
        | AesmError::ServiceUnavailable => debug!(?operation, %error, "refused a request"),
        _ => warn!(?operation, %error, "a request failed"),
    }
}

fn parameter(detail: impl Into<String>) -> QuotingError {
    QuotingError::new(AesmError::Parameter, detail)
}

fn unsupported_key_id() -> QuotingError {
    QuotingError::new(AesmError::UnsupportedAttKeyId, "no attestation key has the caller's id")
}
