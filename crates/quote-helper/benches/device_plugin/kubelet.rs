//! As much of a kubelet as a device plugin needs to start.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kubernetes::api::v1beta1::{
    AllocateRequest, AllocateResponse, ContainerAllocateRequest, Empty, ListAndWatchResponse,
    RegisterRequest,
};
use test_support::grpc;
use tokio::net::UnixListener;
use tokio::sync::mpsc;

/// The resource whose devices are many.
const RESOURCE: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";

pub(crate) struct Kubelet {
    plugin_dir: PathBuf,
    endpoint: PathBuf,
    registrations: mpsc::UnboundedReceiver<RegisterRequest>,
}

impl Kubelet {
    pub(crate) fn start(plugin_dir: &Path) -> anyhow::Result<Self> {
        let (sender, registrations) = mpsc::unbounded_channel();
        let listener = UnixListener::bind(plugin_dir.join("kubelet.sock"))?;
        grpc::serve(listener, "/v1beta1.Registration/Register", move |request| {
            // The benchmark may have ended and dropped the receiver.
            let _ = sender.send(request);
            std::future::ready(Ok(Empty {}))
        });
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
    pub(crate) async fn connect(&self) -> anyhow::Result<grpc::Client> {
        Ok(grpc::Client::connect(&self.endpoint).await?)
    }
}

/// The names of all devices.
pub(crate) async fn list(client: &mut grpc::Client) -> anyhow::Result<Vec<String>> {
    let mut lists = client.stream("/v1beta1.DevicePlugin/ListAndWatch", Empty {}).await?;
    let list: ListAndWatchResponse = lists.message().await?.context("there is no list")?;
    Ok(list.devices.into_iter().map(|device| device.id).collect())
}

/// Allocates the devices to one container, and returns the plugin's response time.
pub(crate) async fn allocate(
    client: &mut grpc::Client,
    names: &[String],
) -> anyhow::Result<Duration> {
    let container = ContainerAllocateRequest { devices_ids: names.to_vec() };
    let request = AllocateRequest { container_requests: vec![container] };
    let begin = Instant::now();
    let answer: AllocateResponse = client.call("/v1beta1.DevicePlugin/Allocate", request).await?;
    let time = begin.elapsed();
    ensure!(answer.container_responses.len() == 1, "one container gets one answer");
    Ok(time)
}
