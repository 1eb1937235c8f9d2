//! Answers become HTTP responses.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query::Encoding;
use crate::{PckAnswer, PckCa, PckCrl, PcsError, SignedJson};

const PEM: &str = "application/x-pem-file";
const CRL: &str = "application/pkix-crl";
const JSON: &str = "application/json";

const PCK_CERTIFICATE_CHAIN: HeaderName =
    HeaderName::from_static("sgx-pck-certificate-issuer-chain");
const PCK_CRL_CHAIN: HeaderName = HeaderName::from_static("sgx-pck-crl-issuer-chain");
const TCB_INFO_CHAIN: HeaderName = HeaderName::from_static("tcb-info-issuer-chain");
const QE_IDENTITY_CHAIN: HeaderName = HeaderName::from_static("sgx-enclave-identity-issuer-chain");
const TCBM: HeaderName = HeaderName::from_static("sgx-tcbm");
const FMSPC: HeaderName = HeaderName::from_static("sgx-fmspc");
const CA_TYPE: HeaderName = HeaderName::from_static("sgx-pck-certificate-ca-type");

/// What of a PEM stays as it is in a header; line feeds, spaces and `+` above all do not.
const ENCODED_IN_HEADER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

impl IntoResponse for PckAnswer {
    fn into_response(self) -> Response {
        let pce_svn = self.pce_svn.to_le_bytes();
        let headers = [
            (CONTENT_TYPE, PEM.to_owned()),
            (PCK_CERTIFICATE_CHAIN, url_encoded(&self.issuer_chain)),
            (TCBM, hex::encode_upper([&self.cpu_svn.0[..], &pce_svn].concat())),
            (FMSPC, hex::encode_upper(self.fmspc)),
            (CA_TYPE, ca_name(self.ca).to_owned()),
        ];
        (headers, self.certificate).into_response()
    }
}

fn ca_name(ca: PckCa) -> &'static str {
    match ca {
        PckCa::Platform => "platform",
        PckCa::Processor => "processor",
    }
}

/// The CRL of a PCK CA in the encoding that was asked for.
pub(crate) fn pck_crl(answer: &PckCrl, encoding: Encoding) -> Response {
    let chain = [(PCK_CRL_CHAIN, url_encoded(&answer.issuer_chain))];
    (chain, crl(&answer.crl, encoding)).into_response()
}

/// A CRL in this encoding.
pub(crate) fn crl(der: &[u8], encoding: Encoding) -> Response {
    match encoding {
        Encoding::Der => ([(CONTENT_TYPE, CRL)], der.to_vec()).into_response(),
        Encoding::Hex => ([(CONTENT_TYPE, PEM)], hex::encode(der)).into_response(),
        Encoding::Pem => {
            let crl = pem::encode_config(&pem::Pem::new("X509 CRL", der), line_feeds());
            ([(CONTENT_TYPE, PEM)], crl).into_response()
        }
    }
}

fn line_feeds() -> pem::EncodeConfig {
    pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF)
}

/// TCB info with its signature.
pub(crate) fn tcb_info(answer: &SignedJson) -> Response {
    signed_json("tcbInfo", TCB_INFO_CHAIN, answer)
}

/// QE identity with its signature.
pub(crate) fn qe_identity(answer: &SignedJson) -> Response {
    signed_json("enclaveIdentity", QE_IDENTITY_CHAIN, answer)
}

/// The signed bytes go out untouched, between what the API puts around them.
fn signed_json(name: &str, chain_header: HeaderName, answer: &SignedJson) -> Response {
    let (json, signature) = (&answer.json, hex::encode(&answer.signature));
    let body = format!("{{\"{name}\":{json},\"signature\":\"{signature}\"}}");
    let chain = url_encoded(&answer.issuer_chain);
    ([(CONTENT_TYPE, JSON.to_owned()), (chain_header, chain)], body).into_response()
}

fn url_encoded(chain: &str) -> String {
    utf8_percent_encode(chain, ENCODED_IN_HEADER).to_string()
}

impl IntoResponse for PcsError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => 404,
            Self::UnknownPlatform => 461,
            Self::NoCertificate => 462,
            Self::Failed(ref cause) => {
                tracing::error!(%cause, "collateral could not be made");
                500
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, self.to_string()).into_response()
    }
}
