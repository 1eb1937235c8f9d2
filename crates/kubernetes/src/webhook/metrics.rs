//! What the webhook counts, as Prometheus reads it, and whether it is ready.

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

/// The counters of one webhook. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reviews: Family<ReviewLabels, Counter>,
    expiry: Gauge,
    /// Why the API server cannot use the webhook yet.
    problem: Arc<Mutex<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    outcome: ReviewOutcome,
}

/// What came of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum ReviewOutcome {
    /// Something was injected.
    Patched,
    /// The object is as it should be.
    Unchanged,
    /// It was none.
    Refused,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("quote_helper_webhook");
        let reviews = Family::default();
        registry.register("reviews", "Admission reviews by what came of them", reviews.clone());
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
    /// `/metrics`; `/livez`; and `/readyz`, which tells what is not as it should
    /// be.
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

    /// The API server can use the webhook. It stays ready after that: what goes wrong later has time.
    pub(crate) fn ready(&self) {
        *self.problem.lock() = None;
    }

    /// Why the API server cannot use the webhook, if it never could.
    pub(crate) fn not_ready_yet(&self, problem: &str) {
        let mut current = self.problem.lock();
        if let Some(current) = current.as_mut() {
            problem.clone_into(current);
        }
    }
}
