//! The kubelet, as a plugin sees it: a socket that takes registrations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::api::v1beta1::registration_client::RegistrationClient;
use crate::api::v1beta1::{DevicePluginOptions, RegisterRequest};

/// The kubelet's directory for plugins' sockets and its own. The path is fixed in the kubelet.
pub const PLUGIN_DIR: &str = "/var/lib/kubelet/device-plugins";
/// Where the kubelet tells which container has which devices.
pub const POD_RESOURCES_SOCKET: &str = "/var/lib/kubelet/pod-resources/kubelet.sock";

/// What the kubelet need not call: nothing is to be done before a container starts, and each piece
/// of enclave memory is as good as any other, side by side or not.
pub(crate) const OPTIONS: DevicePluginOptions =
    DevicePluginOptions { pre_start_required: false, get_preferred_allocation_available: false };

/// The version of the device plugin API.
const API_VERSION: &str = "v1beta1";
/// The time for the kubelet to take a registration.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where the kubelet listens for registrations.
pub(crate) fn socket(plugin_dir: &Path) -> PathBuf {
    plugin_dir.join("kubelet.sock")
}

/// Tells the kubelet of the resource that is served at the socket with the name `endpoint` in the plugin
/// directory.
///
/// # Errors
/// What gRPC or the kubelet says.
pub(crate) async fn register(
    plugin_dir: &Path,
    endpoint: &str,
    resource: &str,
) -> Result<(), Status> {
    let mut client = RegistrationClient::new(channel(&socket(plugin_dir), TIMEOUT));
    let request = RegisterRequest {
        version: API_VERSION.to_owned(),
        endpoint: endpoint.to_owned(),
        resource_name: resource.to_owned(),
        options: Some(OPTIONS),
    };
    client.register(request).await?;
    Ok(())
}

/// A gRPC channel to a socket, which connects when it is used.
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
