//! Documents as responses, ready to be sent.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use collateral::{CollateralId, Document, PckContents, SourceError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::request::{ApiRequest, Encoding};

const PEM: &str = "application/x-pem-file";
const CRL: &str = "application/pkix-crl";
pub(crate) const JSON: &str = "application/json";

pub(crate) const PCK_CERTIFICATE_CHAIN: HeaderName =
    HeaderName::from_static("sgx-pck-certificate-issuer-chain");
const PCK_CRL_CHAIN: HeaderName = HeaderName::from_static("sgx-pck-crl-issuer-chain");
const TCB_INFO_CHAIN: HeaderName = HeaderName::from_static("tcb-info-issuer-chain");
const IDENTITY_CHAIN: HeaderName = HeaderName::from_static("sgx-enclave-identity-issuer-chain");
const TCBM: HeaderName = HeaderName::from_static("sgx-tcbm");
pub(crate) const FMSPC: HeaderName = HeaderName::from_static("sgx-fmspc");
pub(crate) const CA_TYPE: HeaderName = HeaderName::from_static("sgx-pck-certificate-ca-type");

/// The characters to encode in a header with PEM: line feeds, spaces and `+` among them.
pub(crate) const ENCODED_IN_HEADER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A response with status 200. Clones share it.
#[derive(Clone)]
pub(crate) struct CachedResponse(Arc<Parts>);

struct Parts {
    headers: HeaderMap,
    body: Bytes,
}

impl CachedResponse {
    /// The response to this request with this document.
    ///
    /// # Errors
    /// [`SourceError::Malformed`] when the document does not fit the request.
    pub(crate) fn new(request: &ApiRequest, document: Document) -> Result<Self, SourceError> {
        let Document { body, issuer_chain } = document;
        let mut headers = HeaderMap::new();
        let chain_name = match &request.item {
            CollateralId::PckCertificate(_) => Some(PCK_CERTIFICATE_CHAIN),
            CollateralId::PckCrl(_) => Some(PCK_CRL_CHAIN),
            CollateralId::RootCaCrl => None,
            CollateralId::TcbInfo { .. } => Some(TCB_INFO_CHAIN),
            CollateralId::EnclaveIdentity { .. } => Some(IDENTITY_CHAIN),
        };
        if let Some(name) = chain_name {
            let chain = utf8_percent_encode(&issuer_chain, ENCODED_IN_HEADER).to_string();
            headers.insert(name, value(chain)?);
        }
        let (media_type, body) = match &request.item {
            CollateralId::PckCertificate(_) => {
                insert_platform_headers(&body, &mut headers)?;
                (PEM, body)
            }
            CollateralId::PckCrl(_) | CollateralId::RootCaCrl => crl(body, request.encoding),
            CollateralId::TcbInfo { .. } | CollateralId::EnclaveIdentity { .. } => (JSON, body),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Ok(Self(Arc::new(Parts { headers, body: body.into() })))
    }

    #[cfg(test)]
    pub(crate) fn text(text: &'static str) -> Self {
        Self(Arc::new(Parts { headers: HeaderMap::new(), body: text.into() }))
    }
}

impl IntoResponse for CachedResponse {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.body.clone()));
        *response.headers_mut() = self.0.headers.clone();
        response
    }
}

/// The headers that repeat the contents of a PCK certificate.
fn insert_platform_headers(certificate: &[u8], headers: &mut HeaderMap) -> Result<(), SourceError> {
    let contents = PckContents::read(certificate)
        .map_err(|error| SourceError::Malformed(error.to_string()))?;
    let tcbm = [&contents.cpu_svn.0[..], &contents.pce_svn.to_le_bytes()].concat();
    headers.insert(TCBM, value(hex::encode_upper(tcbm))?);
    headers.insert(FMSPC, value(hex::encode_upper(contents.fmspc))?);
    headers.insert(CA_TYPE, value(contents.ca.to_string())?);
    Ok(())
}

/// A CRL in this encoding.
fn crl(der: Vec<u8>, encoding: Encoding) -> (&'static str, Vec<u8>) {
    match encoding {
        Encoding::Der => (CRL, der),
        Encoding::Hex => (PEM, hex::encode(der).into_bytes()),
        Encoding::Pem => {
            let line_feeds = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
            let crl = pem::encode_config(&pem::Pem::new("X509 CRL", der), line_feeds);
            (PEM, crl.into_bytes())
        }
    }
}

fn value(text: String) -> Result<HeaderValue, SourceError> {
    text.try_into().map_err(|_| SourceError::Malformed("it does not fit into a header".to_owned()))
}
