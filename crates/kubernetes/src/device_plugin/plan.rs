//! The resources of a node, and who counts them.

use std::fmt;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::device_list::{DeviceList, MAX_DEVICES};
use super::device_node::DeviceNode;
use super::epc::Epc;
use super::profile::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile, Shares};

/// The counter of the enclave memory of profiles with the unit MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpcAccounting {
    /// The kubelet, with a device for each MiB: up to 256 GiB, but from Kubernetes 1.36 on the
    /// kubelet stalls at a few GiB. Containers get the device node with the EPC.
    Devices,
    /// The API server, as a number in the node's status: any size, at no cost for the kubelet.
    /// Containers get the device node by `sgx.intel.com/enclave: 1`, which injection adds.
    NodeStatus,
}

/// As on the command line.
impl fmt::Display for EpcAccounting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Devices => "devices",
            Self::NodeStatus => "node-status",
        })
    }
}

/// The resources to offer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The share of each profile.
    pub shares: Shares,
    /// The counter of EPC.
    pub accounting: EpcAccounting,
    /// The maximum number of containers with `sgx.intel.com/enclave`.
    pub enclave_limit: u32,
    /// The maximum number of containers with `sgx.intel.com/provision`.
    pub provision_limit: u32,
    /// True for real SGX, which has device nodes.
    pub has_device_nodes: bool,
}

impl Offer {
    /// True if resources are counted in the node's status when there is EPC.
    #[must_use]
    pub fn needs_node_status(&self) -> bool {
        self.shares.profiles().any(|profile| self.counts_in_node_status(profile))
    }

    fn counts_in_node_status(&self, profile: ResourceProfile) -> bool {
        profile == ResourceProfile::Intel || self.accounting == EpcAccounting::NodeStatus
    }
}

/// All resources of a node.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Resources that the kubelet allocates.
    pub(crate) resources: Vec<Resource>,
    /// Resources in the node's status.
    pub(crate) in_node_status: Vec<NodeResource>,
}

/// A resource that the kubelet allocates device by device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) devices: DeviceList,
    /// The device node that containers get; the resource is unhealthy without it.
    pub(crate) device_node: Option<DeviceNode>,
    /// True if containers with it run enclaves, and so get the quote service's socket.
    pub(crate) for_enclaves: bool,
}

/// A resource that the API server counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeResource {
    pub(crate) name: &'static str,
    pub(crate) quantity: u64,
}

impl Plan {
    /// The plan for this EPC; empty if there is none.
    pub(crate) fn new(offer: &Offer, epc: Epc) -> Self {
        let mut plan = Self { resources: Vec::new(), in_node_status: Vec::new() };
        for (profile, share) in offer.shares.divide(epc) {
            plan.add_epc(profile, &share, offer);
        }
        if !plan.in_node_status.is_empty() {
            plan.add(ENCLAVE_RESOURCE, offer.enclave_limit, DeviceNode::Enclave, offer);
        }
        if !plan.is_empty() && offer.has_device_nodes {
            plan.add(PROVISION_RESOURCE, offer.provision_limit, DeviceNode::Provision, offer);
        }
        plan
    }

    /// True if nothing is offered.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.in_node_status.is_empty()
    }

    fn add_epc(&mut self, profile: ResourceProfile, share: &Epc, offer: &Offer) {
        let name = profile.epc_resource();
        let quantity = share.total().checked_div(profile.unit()).unwrap_or(0);
        if quantity == 0 {
            warn!("{name}: the other profiles take all EPC of this node");
            return;
        }
        if offer.counts_in_node_status(profile) {
            self.in_node_status.push(NodeResource { name, quantity });
            return;
        }
        if quantity > MAX_DEVICES {
            warn!(
                "{name}: {} of {} are offered, since the kubelet takes no more devices; to offer \
                 all of it, count it in the node's status (--epc-accounting node-status)",
                ByteSize(MAX_DEVICES.saturating_mul(profile.unit())),
                ByteSize(share.total())
            );
        }
        let devices = DeviceList::of_epc(share, profile.unit());
        let device_node = offer.has_device_nodes.then_some(DeviceNode::Enclave);
        self.resources.push(Resource { name, devices, device_node, for_enclaves: true });
    }

    /// Adds a resource for a device node, of which `limit` containers can have one each.
    fn add(&mut self, name: &'static str, limit: u32, device_node: DeviceNode, offer: &Offer) {
        if limit > 0 {
            self.resources.push(Resource {
                name,
                devices: DeviceList::of_length(limit),
                device_node: offer.has_device_nodes.then_some(device_node),
                for_enclaves: device_node == DeviceNode::Enclave,
            });
        }
    }
}
