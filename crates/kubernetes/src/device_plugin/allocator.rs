//! The devices and mounts that a container gets with a resource.

use std::path::{Path, PathBuf};

use super::device_node::{CDI_KIND, DeviceNode};
use super::plan::Resource;
use crate::api::v1beta1::{CdiDevice, ContainerAllocateResponse, DeviceSpec, Mount};

/// The directory in which applications expect the quote service's socket, `aesm.socket`.
pub(crate) const AESM_DIR: &str = "/var/run/aesmd";

/// Allocates device nodes, and the directory with the quote service's socket.
#[derive(Debug, Clone)]
pub struct Allocator {
    /// The host's directory of device nodes: `/dev`.
    pub device_dir: PathBuf,
    /// The host's file system as this process sees it: `/`, or its mount in a container. Device
    /// nodes are searched below it; containers get them by their paths on the host.
    pub host_root: PathBuf,
    /// The host's directory with the quote service's socket, if there is a quote service.
    pub aesm_dir: Option<PathBuf>,
    /// The directory of Container Device Interface (CDI) specifications. If set, the plugin
    /// describes device nodes there, and passes their CDI names to the kubelet.
    pub cdi_dir: Option<PathBuf>,
}

/// A resource's device node is missing.
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
    /// The kubelet's response for a container with the resource.
    ///
    /// # Errors
    /// [`MissingDeviceNode`] if the resource needs one that is missing.
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

    /// The device node's path on the host.
    ///
    /// # Errors
    /// [`MissingDeviceNode`] if there is none.
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
