//! Quotes from the quote service, or from Intel's aesmd, over the AESM socket.

mod absence;
mod repetition;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aesm::{Client, ClientError, Deadline, MAX_RESPONSE_SIZE, Payload, Request, ResponseError};
use sgx::{
    AesmError, AttestationKeyId, FromBytes, IntoBytes, QeReportInfo, Quote, TargetInfo, U32,
};

use crate::{AttestationKey, QuoteReply, QuoteRequest, Quoter, QuotingError};
use absence::Absence;
use repetition::Repetition;

/// The buffer that quotes are asked for with, in bytes: no quote of today is larger, and services
/// fill it up with zeros.
const USUAL_BUFFER: u32 = 8 * 1024;

/// The largest buffer whose reply the client would read, in bytes. It leaves room for QE report info.
const LARGEST_BUFFER: u32 = (MAX_RESPONSE_SIZE / 2) as u32;

/// A Quoter that asks a service.
///
/// A service that is busy, or goes away because it is being replaced, is asked again, since every
/// request can be repeated without harm. Whatever happens, an answer or an error is there when the
/// time is up.
#[derive(Debug, Clone)]
pub struct AesmQuoter {
    client: Client,
    patience: Duration,
    absence: Arc<Absence>,
}

impl AesmQuoter {
    /// A Quoter that asks the service at `socket`. Each method of [`Quoter`] takes `timeout` at the
    /// most, with all the requests and repetitions it needs.
    pub fn new(socket: impl Into<PathBuf>, timeout: Duration) -> Self {
        let client = Client::new(socket).timeout(timeout);
        Self { client, patience: Duration::ZERO, absence: Arc::default() }
    }

    /// Sets for how long a service that is not there is waited for, within the timeout: none if
    /// nothing is set. Where not even the directory of the socket exists, there is nobody to wait for.
    ///
    /// Once it was waited for in vain, no request waits for the next 30 seconds: each tries once,
    /// so that a service which is back is found at once.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a request until it is answered, or has failed for good, or the time is up.
    fn call(&self, deadline: &Deadline, request: &Request<'_>) -> Result<Payload, ClientError> {
        let mut repetition = Repetition::new(deadline, self.patience, &self.absence);
        loop {
            match self.client.call_by(deadline, request) {
                Ok(payload) => {
                    self.absence.is_over();
                    return Ok(payload);
                }
                Err(error) => repetition.after(error)?,
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
            return Err(unfitting());
        };
        let size = size_of::<AttestationKeyId>();
        let buf_size = u32::try_from(size).ok().and_then(|size| size.checked_mul(att_key_id_num));
        let request = Request::GetSupportedAttKeyIds { buf_size: buf_size.ok_or_else(unfitting)? };
        match self.call(&deadline, &request)? {
            Payload::GetSupportedAttKeyIds { att_key_ids: Some(bytes) } => bytes
                .chunks(size)
                .map(|bytes| AttestationKeyId::read_from_bytes(bytes).map_err(|_| unfitting()))
                .collect(),
            _ => Err(unfitting()),
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
    /// Asks; where there is no attestation key, or another one since, initializes it and asks again.
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
            return Err(unfitting());
        };
        Ok(AttestationKey {
            target_info: TargetInfo::read_from_bytes(&target_info).map_err(|_| unfitting())?,
            public_key_id: key_id.try_into().map_err(|_| unfitting())?,
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
            _ => Err(unfitting()),
        }
    }

    /// One round trip, but for a service that does not take the usual buffer.
    fn quote_by(
        &self,
        deadline: &Deadline,
        request: &QuoteRequest,
    ) -> Result<QuoteReply, QuotingError> {
        match self.quote_into(deadline, request, USUAL_BUFFER) {
            Err(error) if error.code() == AesmError::Parameter => {
                let size = self.quote_size_by(deadline, &request.key_id)?;
                if size > LARGEST_BUFFER {
                    return Err(unfitting());
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
            return Err(unfitting());
        };
        let qe_report_info = match (request.qe_report_info, qe_report_info) {
            (None, _) => None,
            (Some(_), Some(bytes)) => {
                Some(QeReportInfo::read_from_bytes(&bytes).map_err(|_| unfitting())?)
            }
            (Some(_), None) => return Err(unfitting()),
        };
        Ok(QuoteReply { quote: without_padding(quote).ok_or_else(unfitting)?, qe_report_info })
    }
}

/// The quote alone, as long as it says it is; `None` if it is cut short.
fn without_padding(mut quote: Vec<u8>) -> Option<Vec<u8>> {
    let (size, _) = U32::read_from_prefix(quote.get(Quote::SIGNED_SIZE..)?).ok()?;
    let signature = Quote::SIGNED_SIZE.checked_add(size_of::<U32>())?;
    let end = signature.checked_add(usize::try_from(size.get()).ok()?)?;
    (end <= quote.len()).then(|| {
        quote.truncate(end);
        quote
    })
}

/// A reply of the right kind whose fields are not what the request asks for.
fn unfitting() -> QuotingError {
    ClientError::from(ResponseError).into()
}
