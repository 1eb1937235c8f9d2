//! Which path asks what.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::query::{
    CrlQuery, DistributionPoint, Encoding, EvaluationQuery, PckCertQuery, PckCrlQuery, TcbQuery,
};
use crate::{EvaluationSet, PcsError, PcsSource, answer};

type Source = State<Arc<dyn PcsSource>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The API as a service of its own, for [`crate::serve`] or for a server that has more to serve.
pub fn router(source: Arc<dyn PcsSource>) -> Router {
    let v4 = Router::new()
        .route("/pckcert", get(pck_certificate))
        .route("/pckcrl", get(pck_crl))
        .route("/tcb", get(tcb_info))
        .route("/qe/identity", get(qe_identity))
        .route("/rootcacrl", get(root_ca_crl))
        .route("/crl", get(crl));
    Router::new()
        .nest("/sgx/certification/v4", v4)
        .route("/sgx/certification/v3/{*question}", get(v3_has_ended))
        .route("/SGXRootCA.der", get(root_ca_crl_der))
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing at this path"))
        .layer(middleware::from_fn(number_and_log))
        .with_state(source)
}

async fn pck_certificate(
    State(source): Source,
    Query(query): Query<PckCertQuery>,
) -> impl IntoResponse {
    source.pck_certificate(&query.into())
}

async fn pck_crl(
    State(source): Source,
    Query(query): Query<PckCrlQuery>,
) -> Result<Response, PcsError> {
    Ok(answer::pck_crl(&source.pck_crl(query.ca)?, query.encoding))
}

async fn tcb_info(
    State(source): Source,
    Query(query): Query<TcbQuery>,
    Query(evaluation): Query<EvaluationQuery>,
) -> Result<Response, Response> {
    let answer = source.tcb_info(query.fmspc, evaluation_set(&evaluation)?);
    answer.map(|found| answer::tcb_info(&found)).map_err(IntoResponse::into_response)
}

async fn qe_identity(
    State(source): Source,
    Query(evaluation): Query<EvaluationQuery>,
) -> Result<Response, Response> {
    let answer = source.qe_identity(evaluation_set(&evaluation)?);
    answer.map(|found| answer::qe_identity(&found)).map_err(IntoResponse::into_response)
}

fn evaluation_set(query: &EvaluationQuery) -> Result<EvaluationSet, Response> {
    query.set().ok_or_else(|| bad_request("give update or tcbEvaluationDataNumber, not both"))
}

async fn root_ca_crl(State(source): Source) -> Result<Response, PcsError> {
    Ok(answer::crl(&source.root_ca_crl()?, Encoding::Hex))
}

async fn root_ca_crl_der(State(source): Source) -> Result<Response, PcsError> {
    Ok(answer::crl(&source.root_ca_crl()?, Encoding::Der))
}

async fn crl(State(source): Source, Query(query): Query<CrlQuery>) -> Result<Response, Response> {
    let crl = match query.distribution_point() {
        Some(DistributionPoint::Root) => source.root_ca_crl(),
        Some(DistributionPoint::PckCa(ca)) => source.pck_crl(ca).map(|answer| answer.crl),
        None => return Err(bad_request("uri names no CRL distribution point that is known here")),
    };
    crl.map(|crl| answer::crl(&crl, Encoding::Der)).map_err(IntoResponse::into_response)
}

async fn v3_has_ended() -> (StatusCode, &'static str) {
    (StatusCode::GONE, "version 3 of this API has ended; ask below /sgx/certification/v4/")
}

fn bad_request(text: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, text).into_response()
}

/// Gives each response a Request-ID of 32 hexadecimal digits, by which the log knows it.
async fn number_and_log(request: Request, next: Next) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:032x}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    tracing::debug!(id, %method, path, status = %response.status(), "collateral request");
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
