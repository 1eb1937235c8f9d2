//! The routes of the API.

mod canonical;
mod crl_query;
mod index;
mod query;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use collateral::{CollateralId, Source};
use http_server::Index;
use verify::{EnclaveId, Tee};

use self::canonical::canonical;
use self::crl_query::{CrlQuery, PckCrlQuery};
use self::index::READER;
pub(crate) use self::index::{SERVER, SOFTWARE_PCS};
use self::query::{EvaluationQuery, PckCertQuery, TcbQuery};
use crate::api::{Api, ApiError, ApiRequest, CachedResponse, Encoding};
use crate::client::Client;
use crate::metrics::Metrics;

/// The prefix of the paths for SGX.
pub(crate) const SGX_V4: &str = "/sgx/certification/v4";
/// The prefix of the paths for TDX.
const TDX_V4: &str = "/tdx/certification/v4";

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The read-only API for this source. Serve it with a server that limits connections and headers.
pub fn router(source: Arc<dyn Source>) -> Router {
    let api = Api::new(source);
    finished(readers(&api), api.metrics(), READER)
}

/// The routes that need no token.
pub(crate) fn readers(api: &Api) -> Router {
    let pck = Router::new().route("/pckcert", get(pck_certificate)).with_state(api.clone());
    collateral_readers(api).nest(SGX_V4, pck)
}

/// The routes for collateral.
pub(crate) fn collateral_readers(api: &Api) -> Router {
    let sgx = Router::new()
        .route("/pckcrl", get(pck_crl))
        .route("/tcb", tcb_info(Tee::Sgx))
        .route("/qe/identity", identity(EnclaveId::Qe))
        .route("/qve/identity", identity(EnclaveId::Qve))
        .route("/rootcacrl", root_ca_crl(Encoding::Hex))
        .route("/crl", get(crl));
    let tdx = Router::new()
        .route("/tcb", tcb_info(Tee::Tdx))
        .route("/qe/identity", identity(EnclaveId::TdQe));
    Router::new()
        .nest(SGX_V4, sgx)
        .nest(TDX_V4, tdx)
        .route("/SGXRootCA.der", root_ca_crl(Encoding::Der))
        .route("/IntelSGXRootCA.der", root_ca_crl(Encoding::Der))
        .with_state(api.clone())
}

/// Adds the index, and accepts requests in all forms that a PCCS accepts.
pub(crate) fn finished(routes: Router, metrics: &Metrics, index: Index) -> Router {
    let routes = routes.route("/sgx/certification/v3/{*path}", get(v3_has_ended));
    let routes =
        index.on(routes).layer(middleware::from_fn_with_state(metrics.clone(), number_and_count));
    // A layer on the routes themselves would run after the choice of the route.
    Router::new().fallback_service(routes).layer(middleware::map_request(canonical))
}

async fn pck_certificate(
    State(api): State<Api>,
    client: Client,
    Query(query): Query<PckCertQuery>,
) -> Result<CachedResponse, ApiError> {
    api.respond(ApiRequest::new(CollateralId::PckCertificate(query.into())), client).await
}

async fn pck_crl(
    State(api): State<Api>,
    client: Client,
    Query(query): Query<PckCrlQuery>,
) -> Result<CachedResponse, ApiError> {
    api.respond(query.request()?, client).await
}

fn tcb_info(tee: Tee) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, client: Client, query: Query<TcbQuery>, evaluation| {
        let (fmspc, Query(evaluation)): (_, Query<EvaluationQuery>) = (query.fmspc, evaluation);
        let set = evaluation.set()?;
        api.respond(ApiRequest::new(CollateralId::TcbInfo { tee, fmspc, set }), client).await
    })
}

fn identity(enclave: EnclaveId) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, client: Client, evaluation: Query<EvaluationQuery>| {
        let set = evaluation.set()?;
        api.respond(ApiRequest::new(CollateralId::EnclaveIdentity { enclave, set }), client).await
    })
}

fn root_ca_crl(encoding: Encoding) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, client: Client| {
        api.respond(ApiRequest { item: CollateralId::RootCaCrl, encoding }, client).await
    })
}

async fn crl(
    State(api): State<Api>,
    client: Client,
    Query(query): Query<CrlQuery>,
) -> Result<CachedResponse, ApiError> {
    let item = query.item()?;
    api.respond(ApiRequest { item, encoding: Encoding::Der }, client).await
}

async fn v3_has_ended() -> (StatusCode, &'static str) {
    (StatusCode::GONE, "version 3 of this API has ended; use /sgx/certification/v4/")
}

/// Counts the request, and adds a Request-ID of 32 hexadecimal digits, which is also in the log.
async fn number_and_count(
    State(metrics): State<Metrics>,
    request: Request,
    next: Next,
) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:032x}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let mut response = next.run(request).await;
    let status = response.status();
    tracing::debug!(id, %method, route, %status, "collateral request");
    metrics.count_request(route, status.as_u16());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
