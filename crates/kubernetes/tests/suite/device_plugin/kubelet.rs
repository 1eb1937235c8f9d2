//! A fake kubelet, as device plugins see it. Its calls, their order, and its treatment of responses
//! are those of Kubernetes 1.25 to 1.35, or of 1.36 and later (`pkg/kubelet/cm/devicemanager`).

mod devices;

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kubernetes::api::v1beta1::{
    AllocateRequest, AllocateResponse, ContainerAllocateRequest, ContainerAllocateResponse,
    DevicePluginOptions, Empty, ListAndWatchResponse, RegisterRequest,
};
use parking_lot::{Mutex, MutexGuard};
use test_support::grpc;
use tokio::net::UnixListener;
use tokio::task::AbortHandle;
use tonic::Status;

use crate::clock::{eventually, within};
use crate::device_plugin::node::Node;
pub(crate) use devices::Devices;

pub(crate) struct Kubelet {
    plugin_dir: PathBuf,
    state: Arc<Mutex<State>>,
    server: AbortHandle,
}

#[derive(Default)]
struct State {
    plugin_dir: PathBuf,
    registrations: Vec<RegisterRequest>,
    refusal: Option<String>,
    is_stuck: bool,
    /// Kubernetes 1.36 and later: plugins for the same resource are told apart by their sockets.
    has_instances: bool,
    /// By resource name, in the order of registration; containers get devices from the last.
    clients: BTreeMap<String, Vec<Client>>,
    devices: BTreeMap<String, Devices>,
}

/// A connection to a plugin.
struct Client {
    endpoint: String,
    api: grpc::Client,
    options: DevicePluginOptions,
    listening: AbortHandle,
}

impl Kubelet {
    /// A node with its kubelet.
    pub(crate) fn on_node() -> (Node, Self) {
        let node = Node::new();
        let kubelet = Self::start(&node);
        (node, kubelet)
    }

    /// A node with a kubelet of Kubernetes 1.36.
    pub(crate) fn of_1_36_on_node() -> (Node, Self) {
        let (node, kubelet) = Self::on_node();
        kubelet.state().has_instances = true;
        (node, kubelet)
    }

    pub(crate) fn start(node: &Node) -> Self {
        let plugin_dir = node.plugin_dir();
        let state = State { plugin_dir: plugin_dir.clone(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let server = serve(&plugin_dir, &state);
        Self { plugin_dir, state, server }
    }

    /// Is killed, and leaves its socket.
    pub(crate) fn stop(&self) {
        self.server.abort();
        self.forget();
    }

    /// Restarts, after [`Self::stop`] or directly. Containers keep their devices.
    pub(crate) fn restart(&mut self) {
        // Keeps the old socket open until the new one exists, whose inode number thus differs. A
        // real restart takes longer.
        let former = std::mem::replace(&mut self.server, serve(&self.plugin_dir, &self.state));
        former.abort();
        self.forget();
    }

    /// Drops the state of the process.
    fn forget(&self) {
        let mut state = self.state();
        for client in std::mem::take(&mut state.clients).into_values().flatten() {
            client.listening.abort();
        }
        state.devices.values_mut().for_each(Devices::forget_list);
    }

    /// Refuses registrations for this reason, or accepts them again.
    pub(crate) fn refuse(&self, reason: Option<&str>) {
        self.state().refusal = reason.map(ToOwned::to_owned);
    }

    /// Stops or resumes responses to registrations.
    pub(crate) fn be_stuck(&self, is_stuck: bool) {
        self.state().is_stuck = is_stuck;
    }

    /// Closes the connection to the plugin of this resource, as after an unreadable list.
    pub(crate) fn drop_list(&self, resource: &str) {
        self.state().disconnect(resource, None);
    }

    /// The registrations, in order.
    pub(crate) fn registrations(&self) -> Vec<RegisterRequest> {
        self.state().registrations.clone()
    }

    /// The number of registrations of this resource.
    pub(crate) fn registrations_of(&self, resource: &str) -> usize {
        self.registrations().iter().filter(|request| request.resource_name == resource).count()
    }

    /// The plugin's response to `GetDevicePluginOptions`.
    pub(crate) fn options(&self, resource: &str) -> DevicePluginOptions {
        self.state().clients[resource].last().unwrap().options
    }

    /// The last list of this resource's devices.
    pub(crate) fn list(&self, resource: &str) -> ListAndWatchResponse {
        self.state().devices[resource].list.clone()
    }

    /// The capacity of the resource, including unhealthy devices.
    pub(crate) fn capacity(&self, resource: &str) -> usize {
        self.state().devices.get(resource).map_or(0, Devices::capacity)
    }

    /// The allocatable quantity of the resource.
    pub(crate) fn allocatable(&self, resource: &str) -> usize {
        self.state().devices.get(resource).map_or(0, Devices::allocatable)
    }

    /// Waits until this quantity is allocatable.
    pub(crate) async fn offers(&self, resource: &str, quantity: usize) {
        let what = format!("{quantity} of {resource} are allocatable");
        eventually(&what, async || self.allocatable(resource) == quantity).await;
    }

    /// As [`Self::offers`], for this time at most.
    pub(crate) async fn offers_within(&self, time: Duration, resource: &str, quantity: usize) {
        let what = format!("{quantity} of {resource} are allocatable");
        within(time, &what, async || self.allocatable(resource) == quantity).await;
    }

    /// Calls `Allocate` for containers, each with devices of these names.
    pub(crate) async fn allocate<Name: ToString>(
        &self,
        resource: &str,
        containers: &[&[Name]],
    ) -> Result<AllocateResponse, Status> {
        let request = allocate_request(containers);
        let mut api = self.state().clients[resource].last().unwrap().api.clone();
        api.call("/v1beta1.DevicePlugin/Allocate", request).await
    }

    /// Starts a container with this quantity of the resource, which keeps its devices.
    pub(crate) async fn start_container(
        &self,
        resource: &str,
        quantity: usize,
    ) -> Result<ContainerAllocateResponse, Status> {
        let names = self.state().devices[resource].free(quantity);
        let mut answer = self.allocate(resource, &[&names]).await?;
        self.state().devices.get_mut(resource).unwrap().allocated.extend(names);
        Ok(answer.container_responses.remove(0))
    }

    /// The devices that containers have, by resource.
    pub(crate) fn allocated(&self) -> BTreeMap<String, Vec<String>> {
        let state = self.state();
        let allocated = state.devices.iter().map(|(name, it)| (name.clone(), it.allocated.clone()));
        allocated.collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

pub(crate) fn allocate_request<Name: ToString>(containers: &[&[Name]]) -> AllocateRequest {
    let container = |names: &&[Name]| ContainerAllocateRequest {
        devices_ids: names.iter().map(ToString::to_string).collect(),
    };
    AllocateRequest { container_requests: containers.iter().map(container).collect() }
}

/// Removes all sockets in the directory, as the kubelet does at start, and accepts registrations.
fn serve(plugin_dir: &Path, state: &Arc<Mutex<State>>) -> AbortHandle {
    for entry in fs::read_dir(plugin_dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_socket() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let listener = UnixListener::bind(plugin_dir.join("kubelet.sock")).unwrap();
    let state = Arc::clone(state);
    grpc::serve(listener, "/v1beta1.Registration/Register", move |request| {
        register(Arc::clone(&state), request)
    })
}

async fn register(state: Arc<Mutex<State>>, request: RegisterRequest) -> Result<Empty, Status> {
    let (socket, refusal, is_stuck) = {
        let mut state = state.lock();
        state.registrations.push(request.clone());
        (state.plugin_dir.join(&request.endpoint), state.refusal.clone(), state.is_stuck)
    };
    let RegisterRequest { version, resource_name, endpoint, .. } = request;
    if is_stuck {
        pending::<()>().await;
    }
    if let Some(reason) = refusal {
        return Err(Status::unknown(reason));
    }
    if version != "v1beta1" {
        return Err(Status::unknown(format!("version {version:?} is not supported")));
    }
    if state.lock().is_connected(&resource_name, &endpoint) {
        return Err(Status::unknown(format!("device plugin already connected: {endpoint}")));
    }
    let connected = grpc::Client::connect(&socket).await;
    let mut api = connected.map_err(|error| Status::unknown(error.to_string()))?;
    let options = api.call("/v1beta1.DevicePlugin/GetDevicePluginOptions", Empty {}).await?;
    let listening =
        listen(Arc::clone(&state), resource_name.clone(), endpoint.clone(), api.clone());
    let listening = tokio::spawn(listening).abort_handle();
    state.lock().connect(resource_name, Client { endpoint, api, options, listening });
    Ok(Empty {})
}

/// Follows a device list to its end.
async fn listen(
    state: Arc<Mutex<State>>,
    resource: String,
    endpoint: String,
    mut api: grpc::Client,
) {
    if let Ok(mut lists) = api.stream("/v1beta1.DevicePlugin/ListAndWatch", Empty {}).await {
        while let Ok(Some(list)) = lists.message().await {
            let mut state = state.lock();
            state.devices.entry(resource.clone()).or_default().take_list(list);
        }
    }
    state.lock().disconnect(&resource, Some(&endpoint));
}

impl State {
    fn is_connected(&self, resource: &str, endpoint: &str) -> bool {
        let mut clients = self.clients.get(resource).into_iter().flatten();
        self.has_instances && clients.any(|client| client.endpoint == endpoint)
    }

    fn connect(&mut self, resource: String, client: Client) {
        let clients = self.clients.entry(resource).or_default();
        if !self.has_instances {
            // The connection to the former plugin stays open.
            clients.clear();
        }
        clients.push(client);
    }

    /// Disconnects the plugin with this socket; before Kubernetes 1.36 it is the plugin that
    /// registered the resource last, which may be another one.
    fn disconnect(&mut self, resource: &str, endpoint: Option<&str>) {
        let Some(clients) = self.clients.get_mut(resource) else { return };
        let has_instances = self.has_instances;
        let is_meant =
            |client: &Client| !has_instances || endpoint.is_none_or(|it| it == client.endpoint);
        for client in clients.extract_if(.., |client| is_meant(client)) {
            client.listening.abort();
        }
        if clients.is_empty() {
            self.clients.remove(resource);
            self.devices.entry(resource.to_owned()).or_default().forget_health();
        }
    }
}
