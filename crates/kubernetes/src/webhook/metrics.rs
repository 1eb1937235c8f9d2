//! Prometheus metrics of the webhook, and its readiness.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use http_server::Index;
use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The metrics of a webhook. Clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reviews: Family<ReviewLabels, Counter>,
    expiry: Gauge,
    /// The problem that keeps the webhook from becoming ready.
    problem: Arc<Mutex<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    outcome: ReviewOutcome,
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum ReviewOutcome {
    /// Settings were injected.
    Patched,
    /// Nothing was to inject.
    Unchanged,
    /// It was invalid.
    Refused,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("quote_helper_webhook");
        let reviews = Family::default();
        registry.register("reviews", "Admission reviews by outcome", reviews.clone());
        let expiry = Gauge::default();
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the serving certificate expires; 0 while there is none",
            expiry.clone(),
        );
        let problem = Arc::new(Mutex::new(Some("there is no certificate yet".to_owned())));
        Self { registry: Arc::new(registry), reviews, expiry, problem }
    }
}

impl Metrics {
    /// Serves `/metrics`, `/livez`, and `/readyz`, which shows the problem.
    pub fn router(&self) -> Router {
        let (registry, problem) = (Arc::clone(&self.registry), Arc::clone(&self.problem));
        let ready = async move || match &*problem.lock() {
            None => (StatusCode::OK, "ready\n".to_owned()),
            Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
        };
        let metrics = async move |request: HeaderMap| http_server::metrics(&request, &registry);
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready));
        Index::of_metrics("quote-helper webhook: metrics and health").on(routes)
    }

    pub(crate) fn reviewed(&self, outcome: ReviewOutcome) {
        self.reviews.get_or_create(&ReviewLabels { outcome }).inc();
    }

    pub(crate) fn certificate_expires(&self, expiry: SystemTime) {
        let expiry = expiry.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expiry.set(expiry.as_secs().try_into().unwrap_or(i64::MAX));
    }

    /// Marks the webhook ready. It stays ready: later problems are not urgent.
    pub(crate) fn ready(&self) {
        *self.problem.lock() = None;
    }

    /// Sets the problem, unless the webhook was ready before.
    pub(crate) fn not_ready_yet(&self, problem: &str) {
        let mut current = self.problem.lock();
        if let Some(current) = current.as_mut() {
            problem.clone_into(current);
        }
    }
}
