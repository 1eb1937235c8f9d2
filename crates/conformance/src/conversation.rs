//! One client: fills in the requests from earlier replies, and judges the replies.

use aesm::{Client, Payload, Request, Response};
use quoting::{Canary, QuoteRequest};
use sgx::{AesmError, AttestationKeyId, FromBytes, IntoBytes, QeReportInfo, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::exchange::exchange;
use crate::flow::{Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReportFor, RequestTemplate, Step};
use crate::requirement::{Requirement, ecdsa_key_id, unpadded};

/// The nonce of clients that ask for the QE's REPORT.
const NONCE: [u8; 16] = *b"conformance run.";

/// The MAC of a REPORT for another QE.
const INVALID_MAC: [u8; 16] = [0xff; 16];

/// The algorithm of no attestation key.
const UNKNOWN_ALGORITHM: u32 = 99;

/// The evidence that quotes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteEvidence {
    /// No quote was requested.
    None,
    /// A real QE refused the REPORT of a software enclave, as it must.
    Refused,
    /// A quote was made.
    Made,
    /// A quote was made and verified, with this proof.
    Verified(String),
}

/// The check of a whole quote: describes its proof, or the reason that it is refused.
pub(crate) type Verifier<'a> = dyn Fn(&[u8]) -> Result<String, String> + 'a;

/// A client in the middle of its flow.
pub(crate) struct Conversation<'a> {
    client: &'a Client,
    flow: &'a Flow,
    /// With one, the service has to make a quote, and a refusal by a real QE differs.
    verifier: Option<&'a Verifier<'a>>,
    key_ids: u32,
    listed: Vec<u8>,
    selected: Vec<u8>,
    pub_key_id_size: u64,
    target_info: TargetInfo,
    quote_size: u32,
    pub(crate) quote: QuoteEvidence,
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(
        client: &'a Client,
        flow: &'a Flow,
        verifier: Option<&'a Verifier<'a>>,
    ) -> Self {
        Self {
            client,
            flow,
            verifier,
            key_ids: 0,
            listed: Vec::new(),
            selected: Vec::new(),
            pub_key_id_size: 0,
            target_info: TargetInfo::default(),
            quote_size: 0,
            quote: QuoteEvidence::None,
        }
    }

    /// Sends a request and checks the reply.
    ///
    /// # Errors
    /// The difference from what the client requires.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), String> {
        let key_id = self.key_id(step.request);
        let asked = self.quote_request(step.request)?;
        let request = self.request(step.request, &key_id, asked.as_ref())?;
        let frame = request.to_frame(step.timeout);
        let message =
            exchange(self.client, self.flow, &frame).map_err(|error| error.to_string())?;
        let response = Response::decode(&message).map_err(|error| error.to_string())?;
        if response.payload.operation() != Some(request.operation()) {
            return Err("the reply is to another request; it crashes Intel's clients".to_owned());
        }
        if self.is_refused_by_real_qe(step, response.error) {
            self.quote = QuoteEvidence::Refused;
            return Ok(());
        }
        check_error(step, response.error)?;
        for requirement in step.requires {
            requirement.check(&request, asked.as_ref(), &response.payload)?;
        }
        self.remember(response.payload)
    }

    /// A real QE refuses the REPORT of a software enclave, and so shows that it is there.
    fn is_refused_by_real_qe(&self, step: &Step, error: Option<AesmError>) -> bool {
        let is_for_this_qe =
            matches!(step.request, RequestTemplate::Quote { report_for: ReportFor::ThisQe, .. });
        is_for_this_qe && error == Some(AesmError::InvalidReport) && self.verifier.is_none()
    }

    fn key_id(&self, template: RequestTemplate) -> Vec<u8> {
        let (RequestTemplate::InitQuote { key_id, .. }
        | RequestTemplate::QuoteSize { key_id }
        | RequestTemplate::Quote { key_id, .. }) = template
        else {
            return Vec::new();
        };
        match key_id {
            KeyId::BuiltIn => AttestationKeyId::ecdsa_p256().as_bytes().to_vec(),
            KeyId::Listed => self.listed.clone(),
            KeyId::Selected => self.selected.clone(),
            KeyId::Unknown => {
                let mut id = AttestationKeyId::ecdsa_p256();
                id.algorithm_id = UNKNOWN_ALGORITHM.into();
                id.as_bytes().to_vec()
            }
        }
    }

    /// A fresh REPORT, so that an earlier quote does not fit.
    fn quote_request(&self, template: RequestTemplate) -> Result<Option<QuoteRequest>, String> {
        let RequestTemplate::Quote { report_for, qe_report_info, .. } = template else {
            return Ok(None);
        };
        let canary = Canary::new(&self.target_info).map_err(|error| error.to_string())?;
        let mut asked = canary.request().clone();
        if report_for == ReportFor::OtherQe {
            asked.report.mac = INVALID_MAC;
        }
        let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
        let info = QeReportInfo {
            nonce: NONCE,
            target_info: enclave.target_info(),
            ..QeReportInfo::default()
        };
        asked.qe_report_info = qe_report_info.then_some(info);
        Ok(Some(asked))
    }

    fn request<'b>(
        &self,
        template: RequestTemplate,
        key_id: &'b [u8],
        asked: Option<&'b QuoteRequest>,
    ) -> Result<Request<'b>, String> {
        let att_key_id = Some(key_id);
        Ok(match template {
            RequestTemplate::KeyIdCount => Request::GetSupportedAttKeyIdNum,
            RequestTemplate::KeyIds => {
                let size = size_of::<AttestationKeyId>() as u32;
                Request::GetSupportedAttKeyIds { buf_size: size.saturating_mul(self.key_ids) }
            }
            RequestTemplate::SelectKeyId => Request::SelectAttKeyId { att_key_id_list: None },
            RequestTemplate::InitQuote { with_pub_key_id, buffer, .. } => {
                let buf_size = match buffer {
                    PubKeyIdBuffer::Absent => None,
                    PubKeyIdBuffer::Fixed(size) => Some(size),
                    PubKeyIdBuffer::FromReply => Some(self.pub_key_id_size),
                };
                Request::InitQuoteEx { att_key_id, with_pub_key_id, buf_size }
            }
            RequestTemplate::QuoteSize { .. } => Request::GetQuoteSizeEx { att_key_id },
            RequestTemplate::Quote { buffer, .. } => {
                let asked = asked.ok_or("there is no REPORT to send")?;
                Request::GetQuoteEx {
                    report: asked.report.as_bytes(),
                    att_key_id,
                    qe_report_info: asked.qe_report_info.as_ref().map(IntoBytes::as_bytes),
                    buf_size: match buffer {
                        QuoteBuffer::Fixed(size) => size,
                        QuoteBuffer::FromReply => self.quote_size,
                    },
                }
            }
        })
    }

    /// Keeps what later requests need, and verifies the first quote.
    fn remember(&mut self, payload: Payload) -> Result<(), String> {
        match payload {
            Payload::GetSupportedAttKeyIdNum { att_key_id_num } => self.key_ids = att_key_id_num,
            Payload::GetSupportedAttKeyIds { att_key_ids: Some(ids) } => {
                self.listed = ecdsa_key_id(&ids).unwrap_or_default().to_vec();
            }
            Payload::SelectAttKeyId { selected_att_key_id: Some(id) } => self.selected = id,
            Payload::InitQuoteEx { target_info, pub_key_id_size, .. } => {
                self.pub_key_id_size = pub_key_id_size;
                let read = |bytes: Vec<u8>| TargetInfo::read_from_bytes(&bytes).ok();
                self.target_info = target_info.and_then(read).unwrap_or_default();
            }
            Payload::GetQuoteSizeEx { quote_size } => self.quote_size = quote_size,
            Payload::GetQuoteEx { quote: Some(quote), .. } => {
                self.quote = self.evidence(&unpadded(&quote)?)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn evidence(&self, quote: &[u8]) -> Result<QuoteEvidence, String> {
        let Some(verifier) = self.verifier else { return Ok(QuoteEvidence::Made) };
        verifier(quote).map(QuoteEvidence::Verified)
    }
}

/// Compares the reply's error with the one that the client expects.
fn check_error(step: &Step, error: Option<AesmError>) -> Result<(), String> {
    let expected = step.requires.iter().find_map(|requirement| match requirement {
        Requirement::Refusal(error) => Some(*error),
        _ => None,
    });
    match (expected, error) {
        (None, Some(error)) => Err(format!("the service refuses it: {error}")),
        (Some(expected), None) => Err(format!("the service does not refuse it with {expected}")),
        (Some(expected), Some(error)) if expected != error => {
            Err(format!("the error is {error}, not {expected}"))
        }
        _ => Ok(()),
    }
}
