//! The provisioning certification service's API, version 4: Intel's PCS, a PCCS, Azure's THIM.

mod pck_list;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use verify::{EnclaveId, Tee};
use zeroize::Zeroizing;

pub use self::pck_list::{PckList, PlatformIdentity};
use super::http::{Http, HttpResponse};
use super::{Source, SourceError, SourceOpenError};
use crate::settings::{PcsKind, Serves, ServiceSettings, ServiceUrl, SourceSettings};
use crate::{CollateralId, Document, PckCertificateRequest, TcbUpdate};

/// The CRL of Intel's root, at the URL in its certificate. Intel's PCS does not serve it.
const INTEL_ROOT_CA_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
/// Header of Intel's PCS for the API key.
const API_KEY: &str = "Ocp-Apim-Subscription-Key";
/// The largest file with an API key, in bytes: a key has 32 characters.
const MAX_API_KEY: u64 = 4096;
/// Maximum wait for a busy server: one response must not disable a source for long.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Names and values; one of them may be the API key.
type Headers = Zeroizing<Vec<(String, String)>>;

/// Characters of a parameter to escape.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A service with this API.
pub struct PcsSource {
    name: String,
    settings: ServiceSettings,
    http: Http,
}

impl PcsSource {
    /// The service at this URL, which determines its kind.
    #[must_use]
    pub fn at(url: &ServiceUrl) -> Self {
        let settings = ServiceSettings::at(url.clone(), Serves::Everything);
        let http = Http::trusting_system(settings.kind == PcsKind::Thim);
        Self::new(settings, http)
    }

    /// The service with these settings. Does not connect yet.
    ///
    /// # Errors
    /// [`SourceOpenError`] when the file with the CAs of its TLS certificate cannot be read.
    pub fn open(settings: ServiceSettings) -> Result<Self, SourceOpenError> {
        let http = Http::new(&settings.trust, settings.kind == PcsKind::Thim)?;
        Ok(Self::new(settings, http))
    }

    fn new(settings: ServiceSettings, http: Http) -> Self {
        let name = SourceSettings::Service(settings.clone()).to_string();
        Self { name, settings, http }
    }

    /// The headers of a request, with the API key only for PCK certificates.
    fn headers(&self, item: &CollateralId) -> Result<Headers, SourceError> {
        match item {
            CollateralId::PckCertificate(_) => self.pck_headers(),
            _ => Ok(Headers::default()),
        }
    }

    /// The headers of a request for PCK certificates.
    fn pck_headers(&self) -> Result<Headers, SourceError> {
        let mut headers = Zeroizing::new(self.settings.headers.clone());
        if let Some(path) = &self.settings.api_key_file {
            headers.push((API_KEY.to_owned(), api_key(path)?.trim().to_owned()));
        }
        Ok(headers)
    }

    fn url(&self, item: &CollateralId) -> Result<String, SourceError> {
        let is_pck = matches!(item, CollateralId::PckCertificate(_));
        match self.settings.serves {
            Serves::PckCertificates if !is_pck => {
                return Err(SourceError::NotOffered("it serves PCK certificates only"));
            }
            Serves::Collateral if is_pck => {
                return Err(SourceError::NotOffered("it has no PCK certificates"));
            }
            _ => {}
        }
        let mut query = Query::default();
        let (tee, path) = match item {
            CollateralId::PckCertificate(request) => {
                pck_query(self.settings.kind, request, &mut query)?;
                for (name, value) in &self.settings.parameters {
                    query.add(name, value);
                }
                (Tee::Sgx, "pckcert")
            }
            CollateralId::PckCrl(ca) => {
                query.add("ca", &ca.to_string());
                query.add("encoding", "der");
                (Tee::Sgx, "pckcrl")
            }
            CollateralId::RootCaCrl if self.settings.kind == PcsKind::Pcs => {
                return Ok(INTEL_ROOT_CA_CRL.to_owned());
            }
            CollateralId::RootCaCrl => (Tee::Sgx, "rootcacrl"),
            CollateralId::TcbInfo { tee, fmspc, set } => {
                query.add("fmspc", &hex::encode_upper(fmspc));
                query.add_set(*set);
                (*tee, "tcb")
            }
            CollateralId::EnclaveIdentity { enclave, set } => {
                query.add_set(*set);
                match enclave {
                    EnclaveId::Qe => (Tee::Sgx, "qe/identity"),
                    EnclaveId::Qve => (Tee::Sgx, "qve/identity"),
                    EnclaveId::TdQe => (Tee::Tdx, "qe/identity"),
                }
            }
        };
        let api = match tee {
            Tee::Sgx => "sgx/certification/v4",
            Tee::Tdx => "tdx/certification/v4",
        };
        let (base, query) = (&self.settings.url, query.0);
        Ok(format!("{base}/{api}/{path}{query}"))
    }
}

impl Source for PcsSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        let response = self.http.get(&self.url(item)?, &self.headers(item)?, deadline)?;
        document(item, accepted(response)?)
    }
}

fn api_key(path: &Path) -> Result<Zeroizing<String>, SourceError> {
    let unusable = |problem: &dyn std::fmt::Display| {
        SourceError::Unreachable(format!("the file of its API key, {}: {problem}", path.display()))
    };
    let bytes = untrusted_input::read(path, MAX_API_KEY).map_err(|error| unusable(&error))?;
    let key = String::from_utf8(bytes).map(Zeroizing::new);
    key.map_err(|_| unusable(&"it is no text in UTF-8"))
}

/// The response, if its status is 200.
fn accepted(response: HttpResponse) -> Result<HttpResponse, SourceError> {
    match response.status {
        200 => Ok(response),
        401 | 403 => Err(SourceError::Denied(response.status)),
        404 => Err(SourceError::NotFound),
        461 => Err(SourceError::UnknownPlatform),
        462 => Err(SourceError::NoCertificate),
        status @ (429 | 503) => {
            Err(SourceError::Busy { status, retry_after: retry_after(&response) })
        }
        status => Err(SourceError::Status(status)),
    }
}

fn pck_query(
    kind: PcsKind,
    request: &PckCertificateRequest,
    query: &mut Query,
) -> Result<(), SourceError> {
    let PckCertificateRequest { qe_id, encrypted_ppid, cpu_svn, pce_svn, pce_id } = request;
    if kind != PcsKind::Pcs {
        query.add("qeid", &hex::encode_upper(qe_id));
    } else if encrypted_ppid.is_none() {
        return Err(SourceError::NotOffered("the encrypted PPID of the platform is not known"));
    }
    if let Some(encrypted_ppid) = encrypted_ppid {
        query.add("encrypted_ppid", &hex::encode_upper(**encrypted_ppid));
    }
    query.add("cpusvn", &hex::encode_upper(cpu_svn.0));
    query.add("pcesvn", &hex::encode_upper(pce_svn.to_le_bytes()));
    query.add("pceid", &hex::encode_upper(pce_id));
    Ok(())
}

/// A query string, with its question mark unless it is empty.
#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.extend(utf8_percent_encode(name, ENCODED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
    }

    /// The standard update has no parameter, since older services know no other one.
    fn add_set(&mut self, set: TcbUpdate) {
        match set {
            TcbUpdate::Standard => {}
            TcbUpdate::Early => self.add("update", "early"),
            TcbUpdate::Number(number) => {
                self.add("tcbEvaluationDataNumber", &number.to_string());
            }
        }
    }
}

fn document(item: &CollateralId, response: HttpResponse) -> Result<Document, SourceError> {
    let headers: &[&str] = match item {
        CollateralId::PckCertificate(_) if response.body.starts_with(b"{") => {
            return azure_pck(&response.body);
        }
        CollateralId::PckCertificate(_) => &["SGX-PCK-Certificate-Issuer-Chain"],
        CollateralId::PckCrl(_) => &["SGX-PCK-CRL-Issuer-Chain"],
        CollateralId::RootCaCrl => &[],
        // The second one is from services that also served version 3.
        CollateralId::TcbInfo { .. } => &["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"],
        CollateralId::EnclaveIdentity { .. } => &["SGX-Enclave-Identity-Issuer-Chain"],
    };
    let issuer_chain = match headers {
        [] => String::new(),
        names => issuer_chain(&response, names)?,
    };
    let body = match item {
        CollateralId::PckCrl(_) | CollateralId::RootCaCrl => crl(response.body)?,
        _ => response.body,
    };
    Ok(Document { body, issuer_chain })
}

/// A PCK certificate from Azure's services: JSON, with the issuer chain that others put in a
/// header.
fn azure_pck(body: &[u8]) -> Result<Document, SourceError> {
    let malformed = |reason: String| SourceError::Malformed(reason);
    let fields: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    let text = |wanted: &str| {
        let mut fields = fields.iter();
        let field = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let text = field.and_then(|(_, value)| value.as_str());
        text.ok_or_else(|| malformed(format!("it has no text {wanted}")))
    };
    let certificate = percent_decode_str(text("pckCert")?).decode_utf8_lossy();
    let chain = percent_decode_str(text("sgx-Pck-Certificate-Issuer-Chain")?).decode_utf8_lossy();
    Ok(Document { body: certificate.into_owned().into_bytes(), issuer_chain: chain.into_owned() })
}

fn issuer_chain(response: &HttpResponse, names: &[&str]) -> Result<String, SourceError> {
    let missing = || {
        let name = names.first().copied().unwrap_or_default();
        SourceError::Malformed(format!("it has no header {name}"))
    };
    let chain = names.iter().find_map(|name| response.header(name)).ok_or_else(missing)?;
    let chain = percent_decode_str(chain).decode_utf8();
    Ok(chain.map_err(|_| missing())?.into_owned())
}

/// DER, from any of the formats in which services send a CRL.
fn crl(body: Vec<u8>) -> Result<Vec<u8>, SourceError> {
    /// A hexadecimal CRL begins with the digit 3, which is 0x33.
    const DER_SEQUENCE: u8 = 0x30;
    let malformed = || SourceError::Malformed("it is no CRL".to_owned());
    match body.first() {
        Some(&DER_SEQUENCE) => Ok(body),
        Some(b'-') => Ok(pem::parse(&body).map_err(|_| malformed())?.into_contents()),
        Some(b'3') => hex::decode(body.trim_ascii()).map_err(|_| malformed()),
        _ => Err(malformed()),
    }
}

/// The header Retry-After, in seconds or as a date.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let value = response.header("Retry-After")?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = OffsetDateTime::parse(value, &Rfc2822).ok()?;
            SystemTime::from(date).duration_since(SystemTime::now()).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crl_is_read_in_each_form() {
        let der = vec![0x30, 0x82, 1, 2];
        assert_eq!(crl(der.clone()).unwrap(), der);
        assert_eq!(crl(b"30820102\n".to_vec()).unwrap(), der);
        let pem = pem::encode(&pem::Pem::new("X509 CRL", der.clone()));
        assert_eq!(crl(pem.into_bytes()).unwrap(), der);
        assert!(crl(b"<html>".to_vec()).is_err());
        assert!(crl(Vec::new()).is_err());
    }
}
