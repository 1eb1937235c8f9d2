//! The HTTP servers of the service: collateral of the software platform, metrics and health.

use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use http_server::Index;
use quoting::Platform;
use service::Metrics;

use super::health::Health;
use super::quote_backend::QuoteBackend;
use crate::listen::Listeners;
use crate::settings::Settings;
use crate::shutdown::Shutdown;

/// `--collateral-listen` on real SGX.
const NO_COLLATERAL: &str = "--collateral-listen serves the software platform's collateral; that \
    of real SGX comes from Intel's PCS or a PCCS";

/// The page at `/` of metrics and health.
pub(super) const INDEX: Index = Index::of_metrics("quote-helper serve: metrics and health");

/// Starts the servers that the settings name, and the canary quotes.
pub(super) async fn serve(
    settings: &Settings,
    backend: &QuoteBackend,
    listeners: &mut Listeners,
    shutdown: &Shutdown,
) -> anyhow::Result<Health> {
    let QuoteBackend { quoter, software, metrics, .. } = backend;
    if let Some(address) = settings.collateral_listen {
        let software = software.as_ref().context(NO_COLLATERAL)?;
        let listener = listeners.tcp(address, "collateral").await?;
        let router = collateral_server::software_pcs_router(Arc::clone(&software.collateral));
        tokio::spawn(http_server::serve(listener, router, shutdown.begun()));
    }
    let health = Health::new(Arc::clone(quoter), backend.proof()?, metrics);
    if let Some(address) = &settings.metrics_listen {
        let router = INDEX.on(metrics_route(metrics.clone()).merge(health.router()));
        address.serve("metrics", router, listeners, shutdown.begun()).await?;
    }
    Ok(health)
}

/// Checks that the platform has collateral to serve.
pub(super) fn check(settings: &Settings) -> anyhow::Result<()> {
    let is_served = settings.collateral_listen.is_some();
    ensure!(!is_served || settings.platform() == Platform::Software, NO_COLLATERAL);
    Ok(())
}

fn metrics_route(metrics: Metrics) -> Router {
    let encode =
        async move |request: HeaderMap| http_server::metrics(&request, &metrics.registry());
    Router::new().route("/metrics", get(encode))
}
