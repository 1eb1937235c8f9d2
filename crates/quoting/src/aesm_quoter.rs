//! Quotes from the quote service, or from Intel's aesmd, over the AESM socket.

use std::time::{Duration, Instant};

use aesm::{Client, ClientError, Payload, Request, ResponseError};
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, QeReportInfo};

use crate::{AttestationKey, QuoteReply, QuoteRequest, Quoter, QuotingError};

/// The pause after a reply that asks to come back, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// A Quoter that asks a service.
///
/// A service that is busy, or goes away in the middle of a request because it is being replaced, is
/// asked again until the client's timeout is over: every request can be repeated without harm.
#[derive(Debug, Clone)]
pub struct AesmQuoter {
    client: Client,
    timeout: Duration,
}

impl AesmQuoter {
    /// A Quoter that asks the service at `socket`, and gives up after `timeout`.
    pub fn new(socket: impl Into<std::path::PathBuf>, timeout: Duration) -> Self {
        Self { client: Client::new(socket).timeout(timeout), timeout }
    }

    /// For how long a service that is not there is waited for; see [`Client::patience`].
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { client: self.client.patience(patience), ..self }
    }

    fn call(&self, request: &Request<'_>) -> Result<Payload, ClientError> {
        let end = Instant::now().checked_add(self.timeout);
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.client.call(request) {
                Ok(payload) => return Ok(payload),
                Err(error) => error,
            };
            let over =
                end.is_some_and(|end| end.saturating_duration_since(Instant::now()) <= pause);
            if over || !is_worth_repeating(&error) {
                return Err(error);
            }
            std::thread::sleep(pause);
            pause = pause.saturating_mul(2);
        }
    }
}

impl Quoter for AesmQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        let Payload::GetSupportedAttKeyIdNum { att_key_id_num } =
            self.call(&Request::GetSupportedAttKeyIdNum)?
        else {
            return Err(unfitting());
        };
        let size = size_of::<AttestationKeyId>();
        let buf_size = u32::try_from(size).ok().and_then(|size| size.checked_mul(att_key_id_num));
        let request = Request::GetSupportedAttKeyIds { buf_size: buf_size.ok_or_else(unfitting)? };
        match self.call(&request)? {
            Payload::GetSupportedAttKeyIds { att_key_ids: Some(bytes) } => bytes
                .chunks(size)
                .map(|bytes| AttestationKeyId::read_from_bytes(bytes).map_err(|_| unfitting()))
                .collect(),
            _ => Err(unfitting()),
        }
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        let request = Request::InitQuoteEx {
            att_key_id: Some(key_id.as_bytes()),
            with_pub_key_id: true,
            buf_size: Some(32),
        };
        let payload = self.call(&request)?;
        let Payload::InitQuoteEx {
            target_info: Some(target_info), pub_key_id: Some(key_id), ..
        } = payload
        else {
            return Err(unfitting());
        };
        Ok(AttestationKey {
            target_info: sgx::TargetInfo::read_from_bytes(&target_info).map_err(|_| unfitting())?,
            public_key_id: key_id.try_into().map_err(|_| unfitting())?,
        })
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        let request = Request::GetQuoteSizeEx { att_key_id: Some(key_id.as_bytes()) };
        match self.call(&request)? {
            Payload::GetQuoteSizeEx { quote_size } => Ok(quote_size),
            _ => Err(unfitting()),
        }
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        match self.quote_once(request) {
            Err(error) if error.code() == AesmError::AttKeyNotInitialized => {
                self.initialize(&request.key_id)?;
                self.quote_once(request)
            }
            result => result,
        }
    }
}

impl AesmQuoter {
    fn quote_once(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        let message = Request::GetQuoteEx {
            report: request.report.as_bytes(),
            att_key_id: Some(request.key_id.as_bytes()),
            qe_report_info: request.qe_report_info.as_ref().map(IntoBytes::as_bytes),
            buf_size: self.quote_size(&request.key_id)?,
        };
        let Payload::GetQuoteEx { quote: Some(quote), qe_report_info } = self.call(&message)?
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
        Ok(QuoteReply { quote, qe_report_info })
    }
}

fn is_worth_repeating(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Disconnected(_)
            | ClientError::Refused(AesmError::Busy | AesmError::ServiceStopped)
    )
}

/// A reply of the right kind whose fields are not what the request asks for.
fn unfitting() -> QuotingError {
    ClientError::from(ResponseError).into()
}
