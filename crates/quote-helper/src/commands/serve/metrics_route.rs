//! `/metrics`, over HTTP.

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use service::Metrics;

pub(super) fn metrics_route(metrics: Metrics) -> Router {
    let encode =
        async move |request: HeaderMap| http_server::metrics(&request, &metrics.registry());
    Router::new().route("/metrics", get(encode))
}
