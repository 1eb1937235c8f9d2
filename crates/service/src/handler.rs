//! One request, from its bytes to its reply: checked, served, counted and entered in the audit log.

mod operations;

use std::sync::Arc;
use std::time::Instant;

use aesm::{Operation, Payload, Request, RequestError, Response};
use quoting::{Execution, QuoteRequest, QuotingError, ServedQuoter};
use sgx::{AesmError, IntoBytes, ReportBody};
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::admission::Admission;
use crate::audit::AuditLog;
use crate::caller::Client;
use crate::limits::Limits;
use crate::metrics::{Exhausted, Metrics};
use crate::policy::Refusal;
use crate::rules::Rules;

pub use operations::MAX_QUOTE_BUFFER;

/// Answers requests by means of a Quoter.
pub(crate) struct Handler {
    quoter: Arc<dyn ServedQuoter>,
    admission: Admission,
    rules: watch::Receiver<Rules>,
    pub(crate) audit: AuditLog,
    metrics: Metrics,
}

/// The result of handling a request.
pub(crate) enum Handled {
    Response(Response),
    /// [`Handler::quote`] will make the response.
    Quote(Box<PendingQuote>),
    /// The connection must be closed: any reply would crash the client that sent the request.
    NoReply,
}

/// A request for a quote that has been checked.
pub(crate) struct PendingQuote {
    request: Box<QuoteRequest>,
    buf_size: u32,
    begin: Instant,
}

enum Served {
    Payload(Payload),
    Quote(Box<PendingQuote>),
}

impl Handler {
    pub(crate) fn new(
        quoter: Arc<dyn ServedQuoter>,
        rules: watch::Receiver<Rules>,
        metrics: Metrics,
    ) -> Self {
        let admission = Admission::new(&rules.borrow().limits, metrics.clone());
        let audit = AuditLog::new(&metrics);
        Self { quoter, admission, rules, audit, metrics }
    }

    /// Applies these limits to new quotes.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.admission.set_limits(limits);
    }

    /// Answers a request at once, unless it is for a quote that takes time.
    pub(crate) fn answer(&self, message: &[u8], client: &Client) -> Handled {
        let begin = Instant::now();
        let request = match Request::decode(message) {
            Ok(request) => request,
            Err(RequestError::Malformed(operation)) => {
                return self.refuse_unread(operation, AesmError::Unexpected, begin);
            }
            Err(RequestError::Unsupported(_) | RequestError::Unrecognized) => {
                return self.no_reply();
            }
        };
        match self.serve(&request, client, begin) {
            Ok(Served::Payload(payload)) => {
                Handled::Response(self.respond(request.operation(), None, payload, begin))
            }
            Ok(Served::Quote(quote)) => Handled::Quote(quote),
            Err(error) => {
                log(request.operation(), &error);
                self.refuse(request.operation(), error.code(), failed_payload(&request), begin)
            }
        }
    }

    /// Waits for a quote.
    pub(crate) async fn quote(&self, quote: PendingQuote, client: &Client) -> Response {
        let PendingQuote { request, buf_size, begin } = quote;
        let echoed = request.qe_report_info.map(|info| info.as_bytes().to_vec());
        let report = request.report.body;
        let reply = async {
            match self.quoter.execution() {
                Execution::Inline => self.quoter.quote(&request),
                Execution::Async(quoter) => {
                    self.admission.quote(quoter, request, client.flow.id).await
                }
            }
        };
        let quote_timeout = self.rules.borrow().limits.quote_timeout;
        let reply = tokio::time::timeout(quote_timeout, reply).await.unwrap_or_else(|_| {
            let detail = format!("no quote was made within {quote_timeout:?}");
            Err(QuotingError::new(AesmError::ServiceUnavailable, detail))
        });
        let result = reply.and_then(|reply| operations::quote(reply, buf_size));
        let operation = Operation::GetQuoteEx;
        match self.audited(client, &report, begin, result) {
            Ok(payload) => self.respond(operation, None, payload, begin),
            Err(error) => {
                log(operation, &error);
                let failed = Payload::GetQuoteEx { quote: None, qe_report_info: echoed };
                self.respond(operation, Some(error.code()), failed, begin)
            }
        }
    }

    /// Answers a request that was too large to keep, of which only the operation is known.
    pub(crate) fn answer_oversized(&self, operation: Option<Operation>) -> Handled {
        match operation {
            Some(operation) => self.refuse_unread(operation, AesmError::Parameter, Instant::now()),
            None => self.no_reply(),
        }
    }

    /// Counts a connection beyond its caller's quota.
    pub(crate) fn count_refused_connection(&self) {
        self.metrics.refused_as_busy(Exhausted::ConnectionsOfCaller);
    }

    fn serve(
        &self,
        request: &Request<'_>,
        client: &Client,
        begin: Instant,
    ) -> Result<Served, QuotingError> {
        if !client.within_quota() {
            let detail = Exhausted::ConnectionsOfCaller.to_string();
            return Err(QuotingError::new(AesmError::Busy, detail));
        }
        let quoter = &*self.quoter;
        let payload = match *request {
            Request::GetQuoteEx { report, att_key_id, qe_report_info, buf_size } => {
                let request =
                    operations::quote_request(quoter, report, att_key_id, qe_report_info, buf_size);
                return self.start_quote(request?, buf_size, client, begin);
            }
            Request::InitQuoteEx { att_key_id, with_pub_key_id, buf_size } => {
                operations::initialize(quoter, att_key_id, with_pub_key_id, buf_size)
            }
            Request::GetQuoteSizeEx { att_key_id } => operations::quote_size(quoter, att_key_id),
            Request::SelectAttKeyId { att_key_id_list } => {
                operations::select(quoter, att_key_id_list)
            }
            Request::GetSupportedAttKeyIdNum => operations::key_id_number(quoter),
            Request::GetSupportedAttKeyIds { buf_size } => operations::key_ids(quoter, buf_size),
        };
        payload.map(Served::Payload)
    }

    /// Makes the quote now if its execution is inline.
    fn start_quote(
        &self,
        request: QuoteRequest,
        buf_size: u32,
        client: &Client,
        begin: Instant,
    ) -> Result<Served, QuotingError> {
        let report = &request.report.body;
        let allowed = self.rules.borrow().policy.check(client.caller.uid, report);
        let result = match (allowed, self.quoter.execution()) {
            (Err(refusal), _) => {
                self.metrics.policy_refusals.inc();
                Err(QuotingError::new(Refusal::CODE, refusal.to_string()))
            }
            (Ok(()), Execution::Async(_)) => {
                let request = Box::new(request);
                return Ok(Served::Quote(Box::new(PendingQuote { request, buf_size, begin })));
            }
            (Ok(()), Execution::Inline) => {
                self.quoter.quote(&request).and_then(|reply| operations::quote(reply, buf_size))
            }
        };
        self.audited(client, report, begin, result).map(Served::Payload)
    }

    /// Enters the caller and the result in the audit log.
    fn audited(
        &self,
        client: &Client,
        report: &ReportBody,
        begin: Instant,
        result: Result<Payload, QuotingError>,
    ) -> Result<Payload, QuotingError> {
        let now = Instant::now();
        let latency = now.saturating_duration_since(begin);
        self.audit.record(&client.caller, report, result.as_ref().err(), latency, now);
        result
    }

    /// Refuses a request whose fields are unknown.
    fn refuse_unread(&self, operation: Operation, error: AesmError, begin: Instant) -> Handled {
        debug!(?operation, %error, "refused a request that is damaged or too large");
        self.refuse(operation, error, empty_payload(operation), begin)
    }

    fn refuse(
        &self,
        operation: Operation,
        error: AesmError,
        payload: Option<Payload>,
        begin: Instant,
    ) -> Handled {
        let Some(payload) = payload else { return self.no_reply() };
        Handled::Response(self.respond(operation, Some(error), payload, begin))
    }

    fn respond(
        &self,
        operation: Operation,
        error: Option<AesmError>,
        payload: Payload,
        begin: Instant,
    ) -> Response {
        self.metrics.count_request(operation, error, begin.elapsed());
        Response { error, payload }
    }

    fn no_reply(&self) -> Handled {
        self.metrics.unanswered.inc();
        Handled::NoReply
    }
}

/// The fields of the reply to a failed request: its numbers are present even then.
fn failed_payload(request: &Request<'_>) -> Option<Payload> {
    let mut payload = empty_payload(request.operation())?;
    match (&mut payload, *request) {
        (Payload::InitQuoteEx { pub_key_id_size, .. }, Request::InitQuoteEx { buf_size, .. }) => {
            *pub_key_id_size = buf_size.unwrap_or(0);
        }
        (
            Payload::GetQuoteEx { qe_report_info: echoed, .. },
            Request::GetQuoteEx { qe_report_info, .. },
        ) => *echoed = qe_report_info.map(<[u8]>::to_vec),
        _ => {}
    }
    Some(payload)
}

/// The form of the reply to an operation that this service serves.
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

/// Logs callers' mistakes, and failures under overload or without a worker, at debug level: they
/// may be many, and the latter are logged once where they begin. Other failures are warnings.
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
