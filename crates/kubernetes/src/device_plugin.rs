//! The SGX device plugin: makes a node's enclave memory (EPC) a resource that Kubernetes schedules.
//!
//! The plugin registers each resource and its devices with the kubelet, one device for each
//! allocatable unit. The kubelet assigns devices to containers and asks the plugin for their device
//! nodes and mounts. Only the kubelet knows which devices are free: the plugin is stateless and can
//! be replaced at any time.

mod allocator;
mod cdi;
mod device_list;
mod device_node;
mod epc;
mod kubelet;
mod kubelet_stream;
mod metrics;
mod node_status;
mod plan;
mod plugin;
mod plugin_socket;
mod pod_resources;
mod profile;
mod quote_service;
mod readiness;
mod session;

pub(crate) use allocator::AESM_DIR;
pub use allocator::Allocator;
pub use epc::{Epc, NUMA_NODES, epc_sections};
pub use kubelet::{PLUGIN_DIR, POD_RESOURCES_SOCKET};
pub use metrics::Metrics;
pub(crate) use node_status::{EVENT_NAMESPACE, NODE_STATUS_MANAGER, Traces, is_owned};
pub use node_status::{NodeStatus, QUOTE_SERVICE_CONDITION, SGX_NODE_LABEL};
pub use plan::{EpcAccounting, Offer};
pub use profile::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile, Shares, SharesError};
pub use quote_service::{QuoteServiceProbe, ServiceProblem};
pub use readiness::Readiness;

use std::future::{Future, pending};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::info;

use node_status::LocalNode;
use plan::Plan;
use quote_service::QuoteServiceCondition;
use readiness::Component;
use session::{PERIOD, Session, SessionConfig, SessionEnd, SessionError, WATCH_TIMEOUT};

/// The pause after a failure that may need an operator.
const PAUSE: Duration = Duration::from_secs(5);
/// The time for the last change of the quote service's condition.
const CONDITION_TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration of a device plugin.
pub struct Options {
    /// The resources to offer.
    pub offer: Offer,
    /// The enclave memory to offer.
    pub epc: Epc,
    /// The devices and mounts that containers get.
    pub allocator: Allocator,
    /// The kubelet's plugin directory, [`PLUGIN_DIR`].
    pub plugin_dir: PathBuf,
    /// The node status for resources that the API server counts, see [`Offer::needs_node_status`].
    pub node_status: Option<NodeStatus>,
    /// The test of the quote service, for the condition [`QUOTE_SERVICE_CONDITION`] in that status.
    pub quote_service: Option<Arc<QuoteServiceProbe>>,
}

/// Offers this node's enclave memory until `shutdown` is ready. Restarts of the kubelet, an
/// unreachable API server and missing device nodes are retried, and reported by `metrics`.
pub async fn run(options: Options, metrics: Metrics, shutdown: impl Future<Output = ()>) {
    let Options { offer, epc, allocator, plugin_dir, node_status, quote_service } = options;
    let total = epc.total();
    let plan = Plan::new(&offer, epc);
    metrics.offers(total, &plan);
    if plan.is_empty() {
        info!("this node has no EPC to offer: the plugin is idle");
        let cleanup = async {
            if let Some(node_status) = &node_status {
                quote_service::remove(node_status, |traces| traces).await;
            }
            pending::<()>().await;
        };
        return tokio::select! { () = cleanup => {}, () = shutdown => {} };
    }
    info!(epc = %ByteSize(total), "offering this node's enclave memory");
    let allocator = Arc::new(allocator);
    let readiness = metrics.readiness().clone();
    let config = SessionConfig {
        resources: plan.resources.clone(),
        allocator: Arc::clone(&allocator),
        plugin_dir: plugin_dir.clone(),
        metrics,
        watched: watch::Sender::new(false),
    };
    let node = LocalNode {
        plan: &plan,
        allocator: &allocator,
        plugin_dir,
        watched: config.watched.subscribe(),
    };
    let keep_node_status = async {
        match &node_status {
            Some(node_status) => node_status.keep(node, &readiness).await,
            None => pending().await,
        }
    };
    let mut condition = node_status
        .clone()
        .zip(quote_service)
        .map(|(node, probe)| QuoteServiceCondition::new(node, probe));
    let mut session = None;
    tokio::select! {
        () = run_sessions(&config, &mut session) => {}
        () = keep_node_status => {}
        () = keep_condition(node_status.as_ref(), condition.as_mut()) => {}
        () = shutdown => {}
    }
    if let Some(session) = session {
        session.end().await;
    }
    if let Some(condition) = &mut condition {
        let _ = timeout(CONDITION_TIMEOUT, condition.stop()).await;
    }
}

/// Keeps the quote service's condition, or removes that of an earlier plugin.
async fn keep_condition(
    node_status: Option<&NodeStatus>,
    condition: Option<&mut QuoteServiceCondition>,
) {
    match (condition, node_status) {
        (Some(condition), _) => condition.keep().await,
        (None, Some(node_status)) => {
            quote_service::keep_removed(node_status).await;
        }
        (None, None) => pending().await,
    }
}

/// Runs one session after another; `current` holds the open one.
async fn run_sessions(config: &SessionConfig, current: &mut Option<Session>) {
    let readiness = config.metrics.readiness();
    let mut last_kubelet = None;
    let mut was_dropped = false;
    loop {
        readiness.expect(Component::Kubelet);
        let next = start_session(config).await;
        if let Some(former) = current.take() {
            former.end().await;
        }
        let session = current.insert(next);
        let kubelet = session.kubelet();
        if last_kubelet.replace(Arc::clone(kubelet)).is_some_and(|last| last.id() != kubelet.id()) {
            config.metrics.kubelet_restarted();
        }
        let begun = Instant::now();
        let end = session.watch().await;
        let is_brief = begun.elapsed() < WATCH_TIMEOUT;
        let is_dropped = is_brief && matches!(end, SessionEnd::NotWatched(_));
        readiness.not_ready(Component::Kubelet, end);
        config.watched.send_replace(false);
        // A session that outlives its successor ends only when the next one has begun, so that a
        // kubelet from Kubernetes 1.36 on has the resources throughout.
        if end != SessionEnd::SuccessorEnded
            && let Some(session) = current.take()
        {
            session.end().await;
        }
        // The first retry is immediate: from Kubernetes 1.25 to 1.35, when a plugin ends, the
        // kubelet also drops its successor.
        if is_dropped && was_dropped {
            sleep(PAUSE).await;
        }
        was_dropped = is_dropped;
    }
}

/// Retries until the kubelet accepts a session.
async fn start_session(config: &SessionConfig) -> Session {
    loop {
        let error = match Session::start(config.clone()).await {
            Ok(session) => return session,
            Err(error) => error,
        };
        config.metrics.readiness().not_ready(Component::Kubelet, &error);
        sleep(if matches!(error, SessionError::NoKubelet { .. }) { PERIOD } else { PAUSE }).await;
    }
}
