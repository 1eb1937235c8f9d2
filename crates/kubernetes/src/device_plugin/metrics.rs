//! Prometheus metrics of the plugin, and its readiness.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use http_server::Index;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry, Unit};
use tonic::Code;
use tracing::debug;

use super::plan::Plan;
use super::pod_resources;
use super::readiness::Readiness;

/// The metrics of a device plugin. Clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    readiness: Readiness,
    epc: Gauge,
    offered: Family<ResourceLabels, Gauge>,
    healthy: Family<ResourceLabels, Gauge>,
    allocated: Family<ResourceLabels, Gauge>,
    allocations: Family<CallLabels, Counter>,
    registrations: Family<CallLabels, Counter>,
    kubelet_restarts: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    resource: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    resource: &'static str,
    /// The name of the gRPC status code.
    code: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("quote_helper_device_plugin");
        let epc = Gauge::default();
        let epc_help = "Enclave memory (EPC) of the node, less the reserve";
        registry.register_with_unit("epc", epc_help, Unit::Bytes, epc.clone());
        let new = &mut registry;
        Self {
            readiness: Readiness::default(),
            epc,
            offered: registered(new, "offered", "Offered quantity, in the resource's unit"),
            healthy: registered(new, "healthy", "1 if the resource's device node exists"),
            allocated: registered(new, "allocated", "Allocated quantity, as the kubelet reports"),
            allocations: registered(
                new,
                "allocations",
                "Allocations of containers by resource and gRPC status",
            ),
            registrations: registered(
                new,
                "registrations",
                "Registrations with the kubelet by resource and gRPC status",
            ),
            kubelet_restarts: registered(new, "kubelet_restarts", "Detected kubelet restarts"),
            registry: Arc::new(registry),
        }
    }
}

/// A new metric of the registry.
fn registered<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// Serves `/metrics`, `/livez`, and `/readyz`, which lists problems. Each scrape asks the
    /// kubelet at `pod_resources_socket` for the allocated devices.
    pub fn router(&self, pod_resources_socket: PathBuf) -> Router {
        let (metrics, readiness) = (self.clone(), self.readiness.clone());
        let encode = async move |request: HeaderMap| {
            metrics.update_allocated(&pod_resources_socket).await;
            http_server::metrics(&request, &metrics.registry)
        };
        let ready = async move || match readiness.problems() {
            problems if problems.is_empty() => (StatusCode::OK, "ready\n".to_owned()),
            problems => (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n"),
        };
        let routes = Router::new()
            .route("/metrics", get(encode))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready));
        Index::of_metrics("quote-helper device-plugin: metrics and health").on(routes)
    }

    /// The readiness of the plugin.
    #[must_use]
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn offers(&self, epc: u64, plan: &Plan) {
        self.epc.set(number(epc));
        for resource in &plan.resources {
            self.offered.get_or_create(&of(resource.name)).set(resource.devices.len().into());
        }
        for resource in &plan.in_node_status {
            self.offered.get_or_create(&of(resource.name)).set(number(resource.quantity));
        }
    }

    pub(crate) fn healthy(&self, resource: &'static str, healthy: bool) {
        self.healthy.get_or_create(&of(resource)).set(healthy.into());
    }

    pub(crate) fn allocated(&self, resource: &'static str, code: Code) {
        self.allocations.get_or_create(&CallLabels { resource, code: format!("{code:?}") }).inc();
    }

    pub(crate) fn registered(&self, resource: &'static str, code: Code) {
        self.registrations.get_or_create(&CallLabels { resource, code: format!("{code:?}") }).inc();
    }

    pub(crate) fn kubelet_restarted(&self) {
        self.kubelet_restarts.inc();
    }

    /// Takes over the kubelet's numbers. Without an answer there are none, rather than stale ones.
    async fn update_allocated(&self, pod_resources_socket: &std::path::Path) {
        let allocated = pod_resources::allocated(pod_resources_socket).await;
        let allocated = allocated.unwrap_or_else(|error| {
            debug!("cannot ask the kubelet for allocated devices: {error}");
            BTreeMap::new()
        });
        self.allocated.clear();
        for (resource, quantity) in allocated {
            if self.offered.get(&of(&resource)).is_some() {
                self.allocated.get_or_create(&of(&resource)).set(number(quantity));
            }
        }
    }
}

fn of(resource: &str) -> ResourceLabels {
    ResourceLabels { resource: resource.to_owned() }
}

fn number(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}
