//! The software platform as a provisioning certification service (PCS): the requests that Intel's
//! PCS accepts and a PCCS does not.
//!
//! | GET, below `/sgx/certification/v4/` | response |
//! |---|---|
//! | `pckcert?encrypted_ppid&cpusvn&pcesvn&pceid` | PEM: the PCK certificate of the platform at its TCB |
//! | `pckcerts?encrypted_ppid&pceid` | JSON: the same as a list of one |
//! | `pckcerts/config?encrypted_ppid&pceid&cpusvn` | the same, if the platform is at this CPUSVN |
//! | `fmspcs[?platform=all\|client\|E3\|E5]` | JSON: the FMSPC of software platforms, of type E5 |

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;
use collateral::{CollateralId, PckCertificateRequest};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sgx::CpuSvn;
use software_platform::SoftwarePlatform;

use crate::SoftwareCollateral;
use crate::api::{
    Api, ApiError, ApiRequest, CA_TYPE, CachedResponse, ENCODED_IN_HEADER, FMSPC, JSON,
    PCK_CERTIFICATE_CHAIN, blocking,
};
use crate::client::Client;
use crate::router::{SGX_V4, SOFTWARE_PCS, collateral_readers, finished};

/// Type of platforms with scalable processors, which PCK certificates say that software platforms
/// have.
const PLATFORM_TYPE: &str = "E5";

/// The whole API of a PCS. Serve it with a server that limits connections and headers.
pub fn software_pcs_router(platform: Arc<SoftwareCollateral>) -> Router {
    let api = Api::new(Arc::clone(&platform) as Arc<dyn collateral::Source>);
    let pcs = Pcs { platform, api: api.clone() };
    let routes = Router::new()
        .route("/pckcert", get(pck_certificate))
        .route("/pckcerts", get(pck_certificates).post(by_manifest))
        .route("/pckcerts/config", get(pck_certificates_of_configuration).post(by_manifest))
        .route("/fmspcs", get(fmspcs))
        .with_state(pcs);
    finished(collateral_readers(&api).nest(SGX_V4, routes), api.metrics(), SOFTWARE_PCS)
}

#[derive(Clone)]
struct Pcs {
    platform: Arc<SoftwareCollateral>,
    api: Api,
}

impl Pcs {
    /// The platform with this encrypted PPID and PCE id.
    async fn find(
        &self,
        encrypted_ppid: Vec<u8>,
        pce_id: [u8; 2],
    ) -> Result<Arc<SoftwarePlatform>, ApiError> {
        let encrypted_ppid = <[u8; 384]>::try_from(encrypted_ppid)
            .map_err(|_| ApiError::invalid("encrypted_ppid must have 384 bytes in hexadecimal"))?;
        let platform = Arc::clone(&self.platform);
        // Decryption takes a millisecond.
        blocking(move || platform.known_by(&encrypted_ppid, pce_id).ok_or(ApiError::NotFound)).await
    }
}

/// A request by encrypted PPID, or, as to a PCCS, by QE id.
#[derive(Deserialize)]
struct PckCertificateQuery {
    #[serde(default, with = "hex")]
    qeid: Vec<u8>,
    #[serde(default, with = "hex")]
    encrypted_ppid: Vec<u8>,
    #[serde(with = "hex")]
    cpusvn: [u8; 16],
    #[serde(with = "hex")]
    pcesvn: [u8; 2],
    #[serde(with = "hex")]
    pceid: [u8; 2],
}

#[derive(Deserialize)]
struct PckCertificatesQuery {
    #[serde(with = "hex")]
    encrypted_ppid: Vec<u8>,
    #[serde(with = "hex")]
    pceid: [u8; 2],
}

#[derive(Deserialize)]
struct ConfigurationQuery {
    #[serde(with = "hex")]
    encrypted_ppid: Vec<u8>,
    #[serde(with = "hex")]
    pceid: [u8; 2],
    #[serde(with = "hex")]
    cpusvn: [u8; 16],
}

async fn pck_certificate(
    State(pcs): State<Pcs>,
    client: Client,
    Query(query): Query<PckCertificateQuery>,
) -> Result<CachedResponse, ApiError> {
    let qe_id = if query.qeid.is_empty() {
        pcs.find(query.encrypted_ppid, query.pceid).await?.qe_id()
    } else {
        query.qeid.try_into().map_err(|_| ApiError::invalid("qeid must have 16 bytes"))?
    };
    let request = PckCertificateRequest {
        qe_id,
        encrypted_ppid: None,
        cpu_svn: CpuSvn(query.cpusvn),
        pce_svn: u16::from_le_bytes(query.pcesvn),
        pce_id: query.pceid,
    };
    pcs.api.respond(ApiRequest::new(CollateralId::PckCertificate(request)), client).await
}

async fn pck_certificates(
    State(pcs): State<Pcs>,
    Query(query): Query<PckCertificatesQuery>,
) -> Result<CertificateList, ApiError> {
    let platform = pcs.find(query.encrypted_ppid, query.pceid).await?;
    list(&platform)
}

async fn pck_certificates_of_configuration(
    State(pcs): State<Pcs>,
    Query(query): Query<ConfigurationQuery>,
) -> Result<CertificateList, ApiError> {
    let platform = pcs.find(query.encrypted_ppid, query.pceid).await?;
    if platform.pck_subject().cpu_svn.0 != query.cpusvn {
        return Err(ApiError::NotFound);
    }
    list(&platform)
}

async fn by_manifest() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "software platforms have no platform manifest; ask with GET, encrypted_ppid and pceid",
    )
}

/// One of the certificates for a platform, as Intel's PCS lists them.
#[derive(Serialize)]
struct Listed {
    /// The security versions by name.
    tcb: Map<String, Value>,
    tcbm: String,
    /// PEM, URL-encoded.
    cert: String,
}

/// A response with the certificates of a platform.
type CertificateList = ([(HeaderName, String); 4], Vec<u8>);

fn list(platform: &SoftwarePlatform) -> Result<CertificateList, ApiError> {
    let (subject, certificate) = (platform.pck_subject(), platform.pck_certificate());
    let component = |(number, svn)| (format!("sgxtcbcomp{number:02}svn"), Value::from(svn));
    let mut tcb: Map<_, _> = (1_u8..).zip(subject.cpu_svn.0).map(component).collect();
    tcb.insert("pcesvn".to_owned(), subject.pce_svn.into());
    let tcbm = [&subject.cpu_svn.0[..], &subject.pce_svn.to_le_bytes()].concat();
    let encoded = |pem: &str| utf8_percent_encode(pem, ENCODED_IN_HEADER).to_string();
    let listed =
        Listed { tcb, tcbm: hex::encode_upper(tcbm), cert: encoded(certificate.leaf().pem()) };
    let headers = [
        (CONTENT_TYPE, JSON.to_owned()),
        (PCK_CERTIFICATE_CHAIN, encoded(certificate.issuer_chain_pem())),
        (FMSPC, hex::encode_upper(subject.fmspc)),
        (CA_TYPE, "platform".to_owned()),
    ];
    Ok((headers, json(&[listed])?))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|error| ApiError::Internal(error.to_string()))
}

#[derive(Deserialize)]
struct FmspcsQuery {
    #[serde(default)]
    platform: PlatformType,
}

#[derive(Deserialize, Default, Clone, Copy)]
enum PlatformType {
    #[default]
    #[serde(rename = "all")]
    All,
    #[serde(rename = "client", alias = "E3")]
    Other,
    #[serde(rename = "E5")]
    E5,
}

#[derive(Serialize)]
struct ListedFmspc {
    fmspc: String,
    platform: &'static str,
}

async fn fmspcs(
    State(pcs): State<Pcs>,
    Query(query): Query<FmspcsQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let fmspc = hex::encode_upper(pcs.platform.fmspc());
    let all = vec![ListedFmspc { fmspc, platform: PLATFORM_TYPE }];
    let fmspcs = match query.platform {
        PlatformType::All | PlatformType::E5 => all,
        PlatformType::Other => Vec::new(),
    };
    Ok(([(CONTENT_TYPE, JSON)], json(&fmspcs)?))
}
