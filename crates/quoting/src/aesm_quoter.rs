//! Quotes from the quote service, or from Intel's aesmd, over the AESM socket.

mod outage;
mod retry;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aesm::{Client, ClientError, Deadline, MAX_RESPONSE_SIZE, Payload, Request, ResponseError};
use sgx::{
    AesmError, AttestationKeyId, FromBytes, IntoBytes, QeReportInfo, Quote, TargetInfo, U32,
};

use crate::{AttestationKey, QuoteReply, QuoteRequest, Quoter, QuotingError};
use outage::Outage;
use retry::Retry;

/// The usual buffer for a quote, in bytes. No quote of today is larger; services pad it with zeros.
const USUAL_BUFFER: u32 = 8 * 1024;

/// The largest buffer whose reply fits the client's limit, with QE report info, in bytes.
const MAX_BUFFER: u32 = (MAX_RESPONSE_SIZE / 2) as u32;

/// A Quoter that asks a service.
///
/// Requests are idempotent, so that they are retried if the service is busy or is being replaced.
/// Each method returns within its timeout, whatever happens.
#[derive(Debug, Clone)]
pub struct AesmQuoter {
    client: Client,
    reconnect_timeout: Duration,
    outage: Arc<Outage>,
}

impl AesmQuoter {
    /// A Quoter that asks the service at `socket`. Each method of [`Quoter`] takes at most
    /// `timeout`, all of its requests and retries included.
    pub fn new(socket: impl Into<PathBuf>, timeout: Duration) -> Self {
        let client = Client::new(socket).timeout(timeout);
        Self { client, reconnect_timeout: Duration::ZERO, outage: Arc::default() }
    }

    /// Sets the time to wait for an absent service, within the timeout; 0 by default. There is no
    /// wait if the directory of the socket does not exist.
    ///
    /// After a wait without success, requests do not wait for 30 seconds: each tries once, so that
    /// a returning service is found at once.
    #[must_use]
    pub fn reconnect_timeout(self, reconnect_timeout: Duration) -> Self {
        Self { reconnect_timeout, ..self }
    }

    /// Sends a request, and retries until it is answered, has failed for good, or has timed out.
    fn call(&self, deadline: &Deadline, request: &Request<'_>) -> Result<Payload, ClientError> {
        let mut retry = Retry::new(deadline, self.reconnect_timeout, &self.outage);
        loop {
            match self.client.call_by(deadline, request) {
                Ok(payload) => {
                    self.outage.end();
                    return Ok(payload);
                }
                Err(error) => retry.pause_after(error)?,
            }
        }
    }
}

impl Quoter for AesmQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        let deadline = self.client.deadline();
        let Payload::GetSupportedAttKeyIdNum { att_key_id_num } =
            self.call(&deadline, &Request::GetSupportedAttKeyIdNum)?
        else {
            return Err(unexpected_reply());
        };
        let size = size_of::<AttestationKeyId>();
        let buf_size = u32::try_from(size).ok().and_then(|size| size.checked_mul(att_key_id_num));
        let request =
            Request::GetSupportedAttKeyIds { buf_size: buf_size.ok_or_else(unexpected_reply)? };
        match self.call(&deadline, &request)? {
            Payload::GetSupportedAttKeyIds { att_key_ids: Some(bytes) } => bytes
                .chunks(size)
                .map(|bytes| {
                    AttestationKeyId::read_from_bytes(bytes).map_err(|_| unexpected_reply())
                })
                .collect(),
            _ => Err(unexpected_reply()),
        }
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        self.initialize_by(&self.client.deadline(), key_id)
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        let deadline = self.client.deadline();
        self.initialized(&deadline, key_id, || self.quote_size_by(&deadline, key_id))
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        let deadline = self.client.deadline();
        self.initialized(&deadline, &request.key_id, || self.quote_by(&deadline, request))
    }
}

impl AesmQuoter {
    /// Asks, and after `AESM_ATT_KEY_NOT_INITIALIZED` initializes the key and asks again.
    fn initialized<T>(
        &self,
        deadline: &Deadline,
        key_id: &AttestationKeyId,
        ask: impl Fn() -> Result<T, QuotingError>,
    ) -> Result<T, QuotingError> {
        match ask() {
            Err(error) if error.code() == AesmError::AttKeyNotInitialized => {
                self.initialize_by(deadline, key_id)?;
                ask()
            }
            result => result,
        }
    }

    fn initialize_by(
        &self,
        deadline: &Deadline,
        key_id: &AttestationKeyId,
    ) -> Result<AttestationKey, QuotingError> {
        let request = Request::InitQuoteEx {
            att_key_id: Some(key_id.as_bytes()),
            with_pub_key_id: true,
            buf_size: Some(32),
        };
        let payload = self.call(deadline, &request)?;
        let Payload::InitQuoteEx {
            target_info: Some(target_info), pub_key_id: Some(key_id), ..
        } = payload
        else {
            return Err(unexpected_reply());
        };
        Ok(AttestationKey {
            target_info: TargetInfo::read_from_bytes(&target_info)
                .map_err(|_| unexpected_reply())?,
            public_key_id: key_id.try_into().map_err(|_| unexpected_reply())?,
        })
    }

    fn quote_size_by(
        &self,
        deadline: &Deadline,
        key_id: &AttestationKeyId,
    ) -> Result<u32, QuotingError> {
        let request = Request::GetQuoteSizeEx { att_key_id: Some(key_id.as_bytes()) };
        match self.call(deadline, &request)? {
            Payload::GetQuoteSizeEx { quote_size } => Ok(quote_size),
            _ => Err(unexpected_reply()),
        }
    }

    /// Takes one round trip, unless the service refuses the usual buffer.
    fn quote_by(
        &self,
        deadline: &Deadline,
        request: &QuoteRequest,
    ) -> Result<QuoteReply, QuotingError> {
        match self.quote_into(deadline, request, USUAL_BUFFER) {
            Err(error) if error.code() == AesmError::Parameter => {
                let size = self.quote_size_by(deadline, &request.key_id)?;
                if size > MAX_BUFFER {
                    return Err(unexpected_reply());
                }
                self.quote_into(deadline, request, size)
            }
            result => result,
        }
    }

    fn quote_into(
        &self,
        deadline: &Deadline,
        request: &QuoteRequest,
        buf_size: u32,
    ) -> Result<QuoteReply, QuotingError> {
        let message = Request::GetQuoteEx {
            report: request.report.as_bytes(),
            att_key_id: Some(request.key_id.as_bytes()),
            qe_report_info: request.qe_report_info.as_ref().map(IntoBytes::as_bytes),
            buf_size,
        };
        let Payload::GetQuoteEx { quote: Some(quote), qe_report_info } =
            self.call(deadline, &message)?
        else {
            return Err(unexpected_reply());
        };
        let qe_report_info = match (request.qe_report_info, qe_report_info) {
            (None, _) => None,
            (Some(_), Some(bytes)) => {
                Some(QeReportInfo::read_from_bytes(&bytes).map_err(|_| unexpected_reply())?)
            }
            (Some(_), None) => return Err(unexpected_reply()),
        };
        Ok(QuoteReply {
            quote: without_padding(quote).ok_or_else(unexpected_reply)?,
            qe_report_info,
        })
    }
}

/// The quote, of the size in its signature field; `None` if it is cut short.
fn without_padding(mut quote: Vec<u8>) -> Option<Vec<u8>> {
    let (size, _) = U32::read_from_prefix(quote.get(Quote::SIGNED_SIZE..)?).ok()?;
    let signature = Quote::SIGNED_SIZE.checked_add(size_of::<U32>())?;
    let end = signature.checked_add(usize::try_from(size.get()).ok()?)?;
    (end <= quote.len()).then(|| {
        quote.truncate(end);
        quote
    })
}

/// The error for a reply whose fields do not answer the request.
fn unexpected_reply() -> QuotingError {
    ClientError::from(ResponseError).into()
}
