//! The metrics over HTTP.

use std::future::Future;
use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::Metrics;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `/metrics` in the OpenMetrics text format until `stop` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Metrics,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let encode = move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], metrics.encode()) };
    let router = Router::new().route("/metrics", get(encode));
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
