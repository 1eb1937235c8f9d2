//! The kubelet's registration socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::Status;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use crate::api::call;
use crate::api::v1beta1::{DevicePluginOptions, Empty, RegisterRequest};

/// The kubelet's directory for sockets, its own and those of plugins. The kubelet has a fixed path.
pub const PLUGIN_DIR: &str = "/var/lib/kubelet/device-plugins";
/// The socket of the kubelet's pod resources API.
pub const POD_RESOURCES_SOCKET: &str = "/var/lib/kubelet/pod-resources/kubelet.sock";

/// No call before a container starts, and no preferred allocation: all EPC is alike.
pub(crate) const OPTIONS: DevicePluginOptions =
    DevicePluginOptions { pre_start_required: false, get_preferred_allocation_available: false };

/// The version of the device plugin API.
const API_VERSION: &str = "v1beta1";
/// The timeout of a registration.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The path of the registration socket.
pub(crate) fn socket(plugin_dir: &Path) -> PathBuf {
    plugin_dir.join("kubelet.sock")
}

/// Registers the resource, which is served at the socket named `endpoint` in the plugin directory.
///
/// # Errors
/// Those of gRPC and of the kubelet.
pub(crate) async fn register(
    plugin_dir: &Path,
    endpoint: &str,
    resource: &str,
) -> Result<(), Status> {
    let mut client = Grpc::new(channel(&socket(plugin_dir), TIMEOUT));
    let request = RegisterRequest {
        version: API_VERSION.to_owned(),
        endpoint: endpoint.to_owned(),
        resource_name: resource.to_owned(),
        options: Some(OPTIONS),
    };
    let Empty {} = call(&mut client, "/v1beta1.Registration/Register", request).await?;
    Ok(())
}

/// A gRPC channel to a socket, which connects on first use.
pub(crate) fn channel(socket: &Path, timeout: Duration) -> Channel {
    let socket = socket.to_owned();
    Endpoint::from_static("http://localhost")
        .connect_timeout(timeout)
        .timeout(timeout)
        .connect_with_connector_lazy(tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
        }))
}
