//! Which path asks what.

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

use crate::answer::Answer;
use crate::api::Api;
use crate::asker::Asker;
use crate::canonical::canonical;
use crate::crl_query::{CrlQuery, Encoding, PckCrlQuery};
use crate::index::READER;
use crate::metrics::Metrics;
use crate::query::{EvaluationQuery, PckCertQuery, TcbQuery};
use crate::question::Question;
use crate::refusal::Refusal;

/// Where the questions of SGX are.
pub(crate) const SGX_V4: &str = "/sgx/certification/v4";
/// Where those of TDX are that differ.
const TDX_V4: &str = "/tdx/certification/v4";

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The API for reading, to be served by an HTTP server with limits on what a client can hold or take.
pub fn router(source: Arc<dyn Source>) -> Router {
    let api = Api::new(source);
    finished(readers(&api), api.metrics(), READER)
}

/// The questions that anybody may ask.
pub(crate) fn readers(api: &Api) -> Router {
    let pck = Router::new().route("/pckcert", get(pck_certificate)).with_state(api.clone());
    collateral_readers(api).nest(SGX_V4, pck)
}

/// Those for collateral.
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

/// These routes and their index, for requests in any form that a PCCS takes.
pub(crate) fn finished(routes: Router, metrics: &Metrics, index: Index) -> Router {
    let routes = routes.route("/sgx/certification/v3/{*question}", get(v3_has_ended));
    let routes =
        index.on(routes).layer(middleware::from_fn_with_state(metrics.clone(), number_and_count));
    // A layer of the routes themselves would come after the choice of the route.
    Router::new().fallback_service(routes).layer(middleware::map_request(canonical))
}

async fn pck_certificate(
    State(api): State<Api>,
    asker: Asker,
    Query(query): Query<PckCertQuery>,
) -> Result<Answer, Refusal> {
    api.answer(Question::of(CollateralId::PckCertificate(query.into())), asker).await
}

async fn pck_crl(
    State(api): State<Api>,
    asker: Asker,
    Query(query): Query<PckCrlQuery>,
) -> Result<Answer, Refusal> {
    api.answer(query.question()?, asker).await
}

fn tcb_info(tee: Tee) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, asker: Asker, query: Query<TcbQuery>, evaluation| {
        let (fmspc, Query(evaluation)): (_, Query<EvaluationQuery>) = (query.fmspc, evaluation);
        let set = evaluation.set()?;
        api.answer(Question::of(CollateralId::TcbInfo { tee, fmspc, set }), asker).await
    })
}

fn identity(enclave: EnclaveId) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, asker: Asker, evaluation: Query<EvaluationQuery>| {
        let set = evaluation.set()?;
        api.answer(Question::of(CollateralId::EnclaveIdentity { enclave, set }), asker).await
    })
}

fn root_ca_crl(encoding: Encoding) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, asker: Asker| {
        api.answer(Question { item: CollateralId::RootCaCrl, encoding }, asker).await
    })
}

async fn crl(
    State(api): State<Api>,
    asker: Asker,
    Query(query): Query<CrlQuery>,
) -> Result<Answer, Refusal> {
    let item = query.item()?;
    api.answer(Question { item, encoding: Encoding::Der }, asker).await
}

async fn v3_has_ended() -> (StatusCode, &'static str) {
    (StatusCode::GONE, "version 3 of this API has ended; ask below /sgx/certification/v4/")
}

/// Gives each response a Request-ID of 32 hexadecimal digits, by which the log knows it, and counts it.
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
    metrics.requested(route, status.as_u16());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
