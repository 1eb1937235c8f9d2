//! One session with the kubelet: from our registration until either side has to begin anew.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Code, Status};
use tracing::{info, warn};

use super::cdi;
use super::grant::Grants;
use super::kubelet;
use super::kubelet_stream::KubeletStream;
use super::metrics::Metrics;
use super::plan::Resource;
use super::plugin::{Listener, Plugin};
use super::readiness::Part;
use super::socket::{Fate, FileId, PluginSocket};
use crate::api::v1beta1::device_plugin_server::DevicePluginServer;

/// How often sockets and device nodes are looked at.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// The time for the kubelet to ask for the devices of what it has taken the registration of.
pub(crate) const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for what is under way when a session ends.
const GRACE: Duration = Duration::from_secs(2);

/// What a session needs.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) resources: Vec<Resource>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) plugin_dir: PathBuf,
    pub(crate) metrics: Metrics,
}

/// Resources that are served and registered.
pub(crate) struct Session {
    setup: Setup,
    kubelet: FileId,
    sockets: Vec<PluginSocket>,
    servers: JoinSet<()>,
    /// In the order of the resources.
    healthy: Vec<watch::Sender<bool>>,
    listeners: mpsc::UnboundedReceiver<Listener>,
    /// The resources whose devices the kubelet listens to.
    listened: BTreeSet<&'static str>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("cannot reach the kubelet at {}: {source}; waiting for it", .path.display())]
    NoKubelet { path: PathBuf, source: io::Error },
    #[error("cannot listen at {}: {source}; the directory must be writable", .path.display())]
    Listen { path: PathBuf, source: io::Error },
    #[error("the kubelet did not take the registration of {resource}: {}", .status.message())]
    Register { resource: &'static str, status: Status },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum End {
    #[error("the kubelet has started anew")]
    KubeletRestarted,
    #[error("the socket was removed, as the kubelet does when it starts")]
    SocketRemoved,
    #[error("another device plugin has taken the socket; waiting until it is gone")]
    Replaced,
    #[error(
        "the kubelet does not listen to the devices of {0}, though it took the registration; if this \
         lasts, its log tells why"
    )]
    NotListened(&'static str),
}

impl Session {
    /// Serves all resources and registers them.
    ///
    /// # Errors
    /// [`SessionError`]; nothing is left of the attempt then.
    pub(crate) async fn begin(setup: Setup) -> Result<Self, SessionError> {
        let path = kubelet::socket(&setup.plugin_dir);
        let kubelet = meet(&path).await;
        let kubelet = kubelet.map_err(|source| SessionError::NoKubelet { path, source })?;
        let (sender, listeners) = mpsc::unbounded_channel();
        let mut session = Self {
            kubelet,
            sockets: Vec::new(),
            servers: JoinSet::new(),
            healthy: Vec::new(),
            listeners,
            listened: BTreeSet::new(),
            setup,
        };
        let is_takeover = is_served(&session.setup).await;
        for resource in session.setup.resources.clone() {
            session.serve(resource, sender.clone())?;
        }
        session.describe_devices();
        if is_takeover {
            // The other one sees it and ends its lists. From Kubernetes 1.25 on the kubelet then drops
            // who is registered: that should not be this one.
            sleep(PERIOD.saturating_mul(2)).await;
        }
        for Resource { name, .. } in &session.setup.resources {
            session.register(name).await?;
        }
        Ok(session)
    }

    /// The kubelet that the session is with.
    pub(crate) fn kubelet(&self) -> FileId {
        self.kubelet
    }

    fn serve(
        &mut self,
        resource: Resource,
        listeners: mpsc::UnboundedSender<Listener>,
    ) -> Result<(), SessionError> {
        let path = self.setup.plugin_dir.join(endpoint(resource.name));
        let (socket, listener) = PluginSocket::listen(path.clone())
            .map_err(|source| SessionError::Listen { path, source })?;
        if let Some(Err(missing)) = resource.device_node.map(|it| self.setup.grants.find(it)) {
            warn!(resource = resource.name, "{missing}");
        }
        let healthy = watch::Sender::new(self.is_healthy(&resource));
        let plugin = Plugin {
            resource,
            grants: Arc::clone(&self.setup.grants),
            healthy: healthy.subscribe(),
            listeners,
            metrics: self.setup.metrics.clone(),
        };
        let mut ended = healthy.subscribe();
        let ended = async move { while ended.changed().await.is_ok() {} };
        let streams = UnixListenerStream::new(listener).map(|it| it.map(KubeletStream::new));
        let server = Server::builder()
            .add_service(DevicePluginServer::new(plugin))
            .serve_with_incoming_shutdown(streams, ended);
        self.servers.spawn(async move {
            if let Err(error) = server.await {
                warn!("a plugin's server failed: {error}");
            }
        });
        self.sockets.push(socket);
        self.healthy.push(healthy);
        Ok(())
    }

    async fn register(&self, resource: &'static str) -> Result<(), SessionError> {
        let taken = kubelet::register(&self.setup.plugin_dir, &endpoint(resource), resource).await;
        let code = taken.as_ref().map_or_else(Status::code, |()| Code::Ok);
        self.setup.metrics.registered(resource, code);
        taken.map_err(|status| SessionError::Register { resource, status })?;
        info!(resource, "registered with the kubelet");
        Ok(())
    }

    /// Watches sockets, device nodes and the kubelet, and tells the kubelet of changes, until the session
    /// is over.
    pub(crate) async fn watch(&mut self) -> End {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut patience = LISTEN_TIMEOUT;
        let mut unlistened_since = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(listener) = self.listeners.recv() => self.note(listener),
            }
            if let Some(end) = self.look_at_sockets() {
                return end;
            }
            self.look_at_device_nodes();
            match self.unlistened() {
                None => {
                    self.setup.metrics.readiness().ready(Part::Kubelet);
                    unlistened_since = Instant::now();
                    // Who listened and left does not come back.
                    patience = PERIOD;
                }
                Some(name) if unlistened_since.elapsed() > patience => {
                    return End::NotListened(name);
                }
                Some(_) => {}
            }
        }
    }

    /// Ends all lists, lets what is under way finish, and removes the sockets.
    pub(crate) async fn end(mut self) {
        self.healthy.clear();
        if timeout(GRACE, async { while self.servers.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            warn!("requests of the kubelet were cut");
        }
    }

    fn note(&mut self, listener: Listener) {
        match listener {
            Listener::Came(resource) => self.listened.insert(resource),
            Listener::Left(resource) => self.listened.remove(resource),
        };
    }

    fn unlistened(&self) -> Option<&'static str> {
        let mut names = self.setup.resources.iter().map(|resource| resource.name);
        names.find(|name| !self.listened.contains(name))
    }

    fn look_at_sockets(&self) -> Option<End> {
        for socket in &self.sockets {
            match socket.fate() {
                Ok(Fate::Present) => {}
                Ok(Fate::Removed) => return Some(End::SocketRemoved),
                Ok(Fate::Replaced) => return Some(End::Replaced),
                Err(error) => warn!("cannot look at a socket: {error}"),
            }
        }
        let kubelet = FileId::of(&kubelet::socket(&self.setup.plugin_dir));
        kubelet.is_ok_and(|kubelet| kubelet != self.kubelet).then_some(End::KubeletRestarted)
    }

    fn look_at_device_nodes(&self) {
        let mut any_changed = false;
        for (resource, known) in self.setup.resources.iter().zip(&self.healthy) {
            let healthy = self.is_healthy(resource);
            let changed =
                known.send_if_modified(|known| std::mem::replace(known, healthy) != healthy);
            if changed && healthy {
                info!(resource = resource.name, "the device node is back");
            } else if changed {
                warn!(resource = resource.name, "the device node is gone");
            }
            any_changed |= changed;
        }
        if any_changed {
            self.describe_devices();
        }
    }

    fn describe_devices(&self) {
        let Setup { grants, metrics, .. } = &self.setup;
        let Some(directory) = &grants.cdi_dir else { return };
        match cdi::describe(grants, directory) {
            Ok(()) => metrics.readiness().ready(Part::Cdi),
            Err(error) => metrics.readiness().not_ready(
                Part::Cdi,
                format!("cannot describe the devices in {}: {error}", directory.display()),
            ),
        }
    }

    fn is_healthy(&self, resource: &Resource) -> bool {
        let node = resource.device_node;
        let healthy = node.is_none_or(|node| self.setup.grants.find(node).is_ok());
        self.setup.metrics.healthy(resource.name, healthy);
        healthy
    }
}

/// Whether somebody serves one of the resources: who stops removes the sockets, who died does not
/// answer.
pub(crate) async fn is_served(setup: &Setup) -> bool {
    for Resource { name, .. } in &setup.resources {
        if UnixStream::connect(setup.plugin_dir.join(endpoint(name))).await.is_ok() {
            return true;
        }
    }
    false
}

/// The kubelet's socket, if it is there and the kubelet, too.
async fn meet(socket: &Path) -> io::Result<FileId> {
    UnixStream::connect(socket).await?;
    FileId::of(socket)
}

/// The name of the socket for a resource.
fn endpoint(resource: &str) -> String {
    format!("{}.sock", resource.replace('/', "_"))
}
