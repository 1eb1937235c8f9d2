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
mod readiness;
mod session;

pub(crate) use allocator::AESM_DIR;
pub use allocator::Allocator;
pub use epc::{Epc, NUMA_NODES, epc_sections};
pub use kubelet::{PLUGIN_DIR, POD_RESOURCES_SOCKET};
pub use metrics::Metrics;
pub(crate) use node_status::NODE_STATUS_MANAGER;
pub use node_status::NodeStatus;
pub use plan::{EpcAccounting, Offer};
pub use profile::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile, Shares, SharesError};
pub use readiness::Readiness;

use std::future::{Future, pending};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::info;

use node_status::LocalNode;
use plan::Plan;
use readiness::Component;
use session::{PERIOD, Session, SessionConfig, SessionEnd, SessionError, WATCH_TIMEOUT};

/// The pause after a failure that may need an operator.
const PAUSE: Duration = Duration::from_secs(5);

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
}

/// Offers this node's enclave memory until `shutdown` is ready. Restarts of the kubelet, an
/// unreachable API server and missing device nodes are retried, and reported by `metrics`.
pub async fn run(options: Options, metrics: Metrics, shutdown: impl Future<Output = ()>) {
    let Options { offer, epc, allocator, plugin_dir, node_status } = options;
    let total = epc.total();
    let plan = Plan::new(&offer, epc);
    metrics.offers(total, &plan);
    if plan.is_empty() {
        info!("this node has no EPC to offer: the plugin is idle");
        return shutdown.await;
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
        match node_status {
            Some(node_status) => node_status.keep(node, &readiness).await,
            None => pending().await,
        }
    };
    let mut session = None;
    tokio::select! {
        () = run_sessions(&config, &mut session) => {}
        () = keep_node_status => {}
        () = shutdown => {}
    }
    if let Some(session) = session {
        session.end().await;
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
