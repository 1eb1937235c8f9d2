//! A session with the kubelet: from the registration until either side has to start again.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sockets::{BindError, FileState, SocketFile};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Code, Status};
use tracing::{info, warn};

use super::allocator::Allocator;
use super::cdi;
use super::kubelet;
use super::kubelet_stream::KubeletStream;
use super::metrics::Metrics;
use super::plan::Resource;
use super::plugin::{Plugin, WatchEvent};
use super::plugin_socket::{PluginSocket, SocketRole};
use super::readiness::Component;
use crate::api::v1beta1::device_plugin_server::DevicePluginServer;

/// The interval at which sockets and device nodes are checked.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// The time for the kubelet to watch the devices of a resource that it has registered.
pub(crate) const WATCH_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for requests in flight when a session ends.
const GRACE: Duration = Duration::from_secs(2);

/// The configuration of a session.
#[derive(Clone)]
pub(crate) struct SessionConfig {
    pub(crate) resources: Vec<Resource>,
    pub(crate) allocator: Arc<Allocator>,
    pub(crate) plugin_dir: PathBuf,
    pub(crate) metrics: Metrics,
    /// Receives true when the kubelet watches the devices of all resources.
    pub(crate) watched: watch::Sender<bool>,
}

/// Resources that are served and registered.
pub(crate) struct Session {
    config: SessionConfig,
    kubelet: Arc<SocketFile>,
    /// In the order of the resources.
    sockets: Vec<PluginSocket>,
    servers: JoinSet<()>,
    /// In the order of the resources.
    healthy: Vec<watch::Sender<bool>>,
    watch_events: mpsc::UnboundedReceiver<WatchEvent>,
    /// The resources whose devices the kubelet watches.
    watched: BTreeSet<&'static str>,
    /// True since another plugin registered the resources too.
    is_succeeded: bool,
}

/// A session that could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("cannot reach the kubelet at {}: {source}; waiting for it", .path.display())]
    NoKubelet { path: PathBuf, source: io::Error },
    #[error("{0}; the directory must be writable")]
    Listen(#[from] BindError),
    #[error("the kubelet rejected the registration of {resource}: {}", .status.message())]
    Register { resource: &'static str, status: Status },
}

/// The reason why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionEnd {
    #[error("the kubelet has restarted")]
    KubeletRestarted,
    #[error("the socket was removed, as the kubelet does when it starts")]
    SocketRemoved,
    #[error("the device plugin that had registered the resources after this one has ended")]
    SuccessorEnded,
    #[error(
        "the kubelet does not watch the devices of {0}, though it took the registration; if this \
         lasts, see its log"
    )]
    NotWatched(&'static str),
}

impl Session {
    /// Serves all resources and registers them.
    ///
    /// # Errors
    /// [`SessionError`]; nothing of the attempt remains then.
    pub(crate) async fn start(config: SessionConfig) -> Result<Self, SessionError> {
        let path = kubelet::socket(&config.plugin_dir);
        let kubelet = connect(&path).await;
        let kubelet = kubelet.map_err(|source| SessionError::NoKubelet { path, source })?;
        let (sender, watch_events) = mpsc::unbounded_channel();
        let mut session = Self {
            kubelet: kubelet.into(),
            sockets: Vec::new(),
            servers: JoinSet::new(),
            healthy: Vec::new(),
            watch_events,
            watched: BTreeSet::new(),
            is_succeeded: false,
            config,
        };
        for resource in session.config.resources.clone() {
            session.serve(resource, sender.clone()).await?;
        }
        session.write_cdi();
        for (resource, socket) in session.config.resources.iter().zip(&session.sockets) {
            session.register(resource.name, socket.endpoint()).await?;
        }
        Ok(session)
    }

    /// The kubelet of this session.
    pub(crate) fn kubelet(&self) -> &Arc<SocketFile> {
        &self.kubelet
    }

    async fn serve(
        &mut self,
        resource: Resource,
        watch_events: mpsc::UnboundedSender<WatchEvent>,
    ) -> Result<(), SessionError> {
        let (socket, listener) =
            PluginSocket::listen(&self.config.plugin_dir, resource.name).await?;
        let listener = UnixListener::from_std(listener)
            .map_err(|source| BindError::Io { path: self.config.plugin_dir.clone(), source })?;
        if let Some(Err(missing)) = resource.device_node.map(|it| self.config.allocator.find(it)) {
            warn!(resource = resource.name, "{missing}");
        }
        let healthy = watch::Sender::new(self.is_healthy(&resource));
        let plugin = Plugin {
            resource,
            allocator: Arc::clone(&self.config.allocator),
            healthy: healthy.subscribe(),
            watch_events,
            metrics: self.config.metrics.clone(),
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

    async fn register(&self, resource: &'static str, endpoint: &str) -> Result<(), SessionError> {
        let taken = kubelet::register(&self.config.plugin_dir, endpoint, resource).await;
        let code = taken.as_ref().map_or_else(Status::code, |()| Code::Ok);
        self.config.metrics.registered(resource, code);
        taken.map_err(|status| SessionError::Register { resource, status })?;
        info!(resource, "registered with the kubelet");
        Ok(())
    }

    /// Watches sockets, device nodes and the kubelet, and reports changes to it, until the session
    /// ends.
    pub(crate) async fn watch(&mut self) -> SessionEnd {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut watch_timeout = WATCH_TIMEOUT;
        let mut unwatched_since = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(event) = self.watch_events.recv() => self.record(event),
            }
            if let Some(end) = self.check_sockets().await {
                return end;
            }
            self.check_device_nodes();
            match self.unwatched() {
                None => {
                    self.config.metrics.readiness().ready(Component::Kubelet);
                    self.config
                        .watched
                        .send_if_modified(|watched| !std::mem::replace(watched, true));
                    unwatched_since = Instant::now();
                    // A kubelet that has stopped watching does not start again.
                    watch_timeout = PERIOD;
                }
                Some(name) if unwatched_since.elapsed() > watch_timeout => {
                    return SessionEnd::NotWatched(name);
                }
                Some(_) => {}
            }
        }
    }

    /// Ends all lists, waits for requests in flight, and removes the sockets.
    pub(crate) async fn end(mut self) {
        self.healthy.clear();
        if timeout(GRACE, async { while self.servers.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            warn!("the kubelet's requests did not end in time");
        }
    }

    fn record(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Started(resource) => self.watched.insert(resource),
            WatchEvent::Stopped(resource) => self.watched.remove(resource),
        };
    }

    fn unwatched(&self) -> Option<&'static str> {
        let mut names = self.config.resources.iter().map(|resource| resource.name);
        names.find(|name| !self.watched.contains(name))
    }

    async fn check_sockets(&mut self) -> Option<SessionEnd> {
        for socket in &self.sockets {
            match socket.role().await {
                Ok(SocketRole::Latest) => {}
                Ok(SocketRole::Removed) => return Some(SessionEnd::SocketRemoved),
                Ok(SocketRole::Succeeded) if self.is_succeeded => {}
                Ok(SocketRole::Succeeded) => {
                    info!(
                        "another device plugin runs beside this one; serving until this one ends"
                    );
                    self.is_succeeded = true;
                }
                Ok(SocketRole::LatestAgain) if self.is_succeeded => {
                    return Some(SessionEnd::SuccessorEnded);
                }
                Ok(SocketRole::LatestAgain) => return Some(SessionEnd::SocketRemoved),
                Err(error) => warn!("cannot check a socket: {error}"),
            }
        }
        let kubelet = self.kubelet.state();
        matches!(kubelet, Ok(FileState::Replaced)).then_some(SessionEnd::KubeletRestarted)
    }

    fn check_device_nodes(&self) {
        let mut any_changed = false;
        for (resource, known) in self.config.resources.iter().zip(&self.healthy) {
            let healthy = self.is_healthy(resource);
            let changed =
                known.send_if_modified(|known| std::mem::replace(known, healthy) != healthy);
            if changed && healthy {
                info!(resource = resource.name, "the device node is back");
            } else if changed {
                warn!(resource = resource.name, "the device node is missing");
            }
            any_changed |= changed;
        }
        if any_changed {
            self.write_cdi();
        }
    }

    fn write_cdi(&self) {
        let SessionConfig { allocator, metrics, .. } = &self.config;
        let Some(directory) = &allocator.cdi_dir else { return };
        match cdi::describe(allocator, directory) {
            Ok(()) => metrics.readiness().ready(Component::Cdi),
            Err(error) => metrics.readiness().not_ready(
                Component::Cdi,
                format!("cannot describe the devices in {}: {error}", directory.display()),
            ),
        }
    }

    fn is_healthy(&self, resource: &Resource) -> bool {
        let node = resource.device_node;
        let healthy = node.is_none_or(|node| self.config.allocator.find(node).is_ok());
        self.config.metrics.healthy(resource.name, healthy);
        healthy
    }
}

/// The kubelet's socket, if the kubelet accepts connections.
async fn connect(socket: &Path) -> io::Result<SocketFile> {
    UnixStream::connect(socket).await?;
    SocketFile::open(socket)
}
