//! What a container gets with a resource.

use std::path::{Path, PathBuf};

use super::device_node::{CDI_KIND, DeviceNode};
use super::plan::Resource;
use crate::api::v1beta1::{CdiDevice, ContainerAllocateResponse, DeviceSpec, Mount};

/// Where applications look for the quote service's socket: in this directory, as `aesm.socket`.
pub(crate) const AESM_DIR: &str = "/var/run/aesmd";

/// Where containers' device nodes come from, and the socket of the quote service.
#[derive(Debug, Clone)]
pub struct Allocator {
    /// The host's directory of device nodes: `/dev`.
    pub device_dir: PathBuf,
    /// Where this process sees the host's file system: `/`, or where a container has it mounted. Device
    /// nodes are looked for there; containers get them by their paths on the host.
    pub host_root: PathBuf,
    /// The host's directory with the quote service's socket, if there is a quote service.
    pub aesm_dir: Option<PathBuf>,
    /// Names device nodes as the Container Device Interface does, and describes them in this directory,
    /// rather than give them to the kubelet.
    pub cdi_dir: Option<PathBuf>,
}

/// The device node of a resource is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no {} in {}: is the SGX driver loaded? (Linux 5.11 and later have it; `quote-helper \
     check` on the node tells more)", .device_node.names()[0], .directory.display()
)]
pub(crate) struct MissingDeviceNode {
    device_node: DeviceNode,
    directory: PathBuf,
}

impl Allocator {
    /// What a container with the resource is to be given.
    ///
    /// # Errors
    /// [`MissingDeviceNode`] if the resource has one that is not there.
    pub(crate) fn allocate(
        &self,
        resource: &Resource,
    ) -> Result<ContainerAllocateResponse, MissingDeviceNode> {
        let mut response = ContainerAllocateResponse::default();
        if let Some(device_node) = resource.device_node {
            let host = self.find(device_node)?;
            match self.cdi_dir {
                Some(_) => {
                    let name = format!("{CDI_KIND}={}", device_node.cdi_name());
                    response.cdi_devices = vec![CdiDevice { name }];
                }
                None => response.devices = device_specs(device_node, &host).to_vec(),
            }
        }
        if let Some(aesm_dir) = self.aesm_dir.as_ref().filter(|_| resource.for_enclaves) {
            response.mounts.push(Mount {
                container_path: AESM_DIR.to_owned(),
                host_path: text(aesm_dir),
                read_only: true,
            });
        }
        Ok(response)
    }

    /// Where the device node is on the host.
    ///
    /// # Errors
    /// [`MissingDeviceNode`] if it is not there.
    pub(crate) fn find(&self, device_node: DeviceNode) -> Result<PathBuf, MissingDeviceNode> {
        let directory = self.device_dir.strip_prefix("/").unwrap_or(&self.device_dir);
        let directory = self.host_root.join(directory);
        let mut names = device_node.names().into_iter();
        let name = names.find(|name| directory.join(name).exists());
        let missing = || MissingDeviceNode { device_node, directory: self.device_dir.clone() };
        name.map(|name| self.device_dir.join(name)).ok_or_else(missing)
    }
}

/// The device node under both of its names.
fn device_specs(device_node: DeviceNode, host: &Path) -> [DeviceSpec; 2] {
    device_node.names().map(|name| DeviceSpec {
        container_path: format!("/dev/{name}"),
        host_path: text(host),
        permissions: "rw".to_owned(),
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
