//! As much of a kubelet as a device plugin needs to start.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hyper_util::rt::TokioIo;
use kubernetes::api::v1beta1::device_plugin_client::DevicePluginClient;
use kubernetes::api::v1beta1::registration_server::{Registration, RegistrationServer};
use kubernetes::api::v1beta1::{AllocateRequest, ContainerAllocateRequest, Empty, RegisterRequest};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

/// The resource whose devices are many.
const RESOURCE: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";

pub(crate) struct Kubelet {
    plugin_dir: PathBuf,
    endpoint: PathBuf,
    registrations: mpsc::UnboundedReceiver<RegisterRequest>,
}

struct Registrations(mpsc::UnboundedSender<RegisterRequest>);

#[tonic::async_trait]
impl Registration for Registrations {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<Empty>, Status> {
        // A receiver that is gone has seen what it wanted to.
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(Empty {}))
    }
}

impl Kubelet {
    pub(crate) fn start(plugin_dir: &Path) -> anyhow::Result<Self> {
        let (sender, registrations) = mpsc::unbounded_channel();
        let listener = UnixListener::bind(plugin_dir.join("kubelet.sock"))?;
        let server = Server::builder()
            .add_service(RegistrationServer::new(Registrations(sender)))
            .serve_with_incoming(UnixListenerStream::new(listener));
        tokio::spawn(server);
        Ok(Self { plugin_dir: plugin_dir.to_owned(), endpoint: PathBuf::new(), registrations })
    }

    /// Waits until the resource is registered.
    pub(crate) async fn registered(&mut self) -> anyhow::Result<()> {
        loop {
            let registration = self.registrations.recv().await.context("nobody registers")?;
            if registration.resource_name == RESOURCE {
                self.endpoint = self.plugin_dir.join(registration.endpoint);
                return Ok(());
            }
        }
    }

    /// A connection to the plugin that has registered.
    pub(crate) async fn connect(&self) -> anyhow::Result<DevicePluginClient<Channel>> {
        let path = self.endpoint.clone();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        Ok(DevicePluginClient::new(endpoint.connect_with_connector(connector).await?))
    }
}

/// The names of all devices.
pub(crate) async fn list(client: &mut DevicePluginClient<Channel>) -> anyhow::Result<Vec<String>> {
    let mut lists = client.list_and_watch(Empty {}).await?.into_inner();
    let list = lists.message().await?.context("there is no list")?;
    Ok(list.devices.into_iter().map(|device| device.id).collect())
}

/// Gives the devices to one container; how long the plugin's answer takes.
pub(crate) async fn allocate(
    client: &mut DevicePluginClient<Channel>,
    names: &[String],
) -> anyhow::Result<Duration> {
    let container = ContainerAllocateRequest { devices_ids: names.to_vec() };
    let request = AllocateRequest { container_requests: vec![container] };
    let begin = Instant::now();
    let answer = client.allocate(request).await?.into_inner();
    let time = begin.elapsed();
    ensure!(answer.container_responses.len() == 1, "one container gets one answer");
    Ok(time)
}
