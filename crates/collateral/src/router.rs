//! Which path asks what.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response, Result};
use axum::routing::get;

use crate::query::{
    CrlQuery, DistributionPoint, Encoding, EvaluationQuery, PckCertQuery, PckCrlQuery, TcbQuery,
};
use crate::{EvaluationSet, PcsSource, answer};

type Source = State<Arc<dyn PcsSource>>;
type BadRequest = (StatusCode, &'static str);

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The API, to be served by an HTTP server with limits on what a client can hold or take.
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
) -> Result<Response> {
    Ok(source.pck_certificate(&query.into())?.into_response())
}

async fn pck_crl(State(source): Source, Query(query): Query<PckCrlQuery>) -> Result<Response> {
    Ok(answer::pck_crl(&source.pck_crl(query.ca)?, query.encoding))
}

async fn tcb_info(
    State(source): Source,
    Query(query): Query<TcbQuery>,
    Query(evaluation): Query<EvaluationQuery>,
) -> Result<Response> {
    let set = evaluation_set(&evaluation)?;
    Ok(answer::tcb_info(&source.tcb_info(query.fmspc, set)?))
}

async fn qe_identity(
    State(source): Source,
    Query(evaluation): Query<EvaluationQuery>,
) -> Result<Response> {
    Ok(answer::qe_identity(&source.qe_identity(evaluation_set(&evaluation)?)?))
}

fn evaluation_set(query: &EvaluationQuery) -> Result<EvaluationSet, BadRequest> {
    query.set().ok_or_else(|| bad_request("give update or tcbEvaluationDataNumber, not both"))
}

async fn root_ca_crl(State(source): Source) -> Result<Response> {
    Ok(answer::crl(&source.root_ca_crl()?, Encoding::Hex))
}

async fn root_ca_crl_der(State(source): Source) -> Result<Response> {
    Ok(answer::crl(&source.root_ca_crl()?, Encoding::Der))
}

async fn crl(State(source): Source, Query(query): Query<CrlQuery>) -> Result<Response> {
    let unknown = || bad_request("uri names no CRL distribution point that is known here");
    let crl = match query.distribution_point().ok_or_else(unknown)? {
        DistributionPoint::Root => source.root_ca_crl()?,
        DistributionPoint::PckCa(ca) => source.pck_crl(ca)?.crl,
    };
    Ok(answer::crl(&crl, Encoding::Der))
}

async fn v3_has_ended() -> (StatusCode, &'static str) {
    (StatusCode::GONE, "version 3 of this API has ended; ask below /sgx/certification/v4/")
}

fn bad_request(text: &'static str) -> BadRequest {
    (StatusCode::BAD_REQUEST, text)
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
