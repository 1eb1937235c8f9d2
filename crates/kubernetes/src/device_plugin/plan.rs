//! What a node offers: which resources, and how each is counted.

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::device_list::{DeviceList, MAX_DEVICES};
use super::device_node::DeviceNode;
use super::epc::Epc;
use super::profile::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile, Shares};

/// Who counts the enclave memory of a profile whose unit is a MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpcAccounting {
    /// The kubelet, one device for each MiB: up to 256 GiB. A container that asks for EPC gets the device
    /// node without further ado.
    Devices,
    /// The API server, as a number in the node's status: up to any size, and no work for the kubelet. A
    /// container gets the device node by `sgx.intel.com/enclave: 1`, which a webhook adds.
    NodeStatus,
}

/// What to offer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who gets how much of the EPC.
    pub shares: Shares,
    /// Who counts it.
    pub accounting: EpcAccounting,
    /// How many containers at a time may have `sgx.intel.com/enclave`.
    pub enclave_limit: u32,
    /// How many containers at a time may have `sgx.intel.com/provision`.
    pub provision_limit: u32,
    /// Whether there is hardware behind it, with device nodes.
    pub has_device_nodes: bool,
}

impl Offer {
    /// Whether something is counted in the node's status, if there is any EPC.
    #[must_use]
    pub fn needs_node_status(&self) -> bool {
        self.shares.profiles().any(|profile| self.counts_in_node_status(profile))
    }

    fn counts_in_node_status(&self, profile: ResourceProfile) -> bool {
        profile == ResourceProfile::Intel || self.accounting == EpcAccounting::NodeStatus
    }
}

/// All that a node offers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What the kubelet gives out.
    pub(crate) resources: Vec<Resource>,
    /// What stands in the node's status.
    pub(crate) in_node_status: Vec<NodeResource>,
}

/// A resource that the kubelet gives out, device by device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) devices: DeviceList,
    /// What its containers get, and what it cannot be used without.
    pub(crate) device_node: Option<DeviceNode>,
    /// Whether its containers run enclaves, and so get the quote service's socket.
    pub(crate) for_enclaves: bool,
}

/// A resource that the API server counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeResource {
    pub(crate) name: &'static str,
    pub(crate) quantity: u64,
}

impl Plan {
    /// Offers this EPC; nothing if there is none.
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

    /// Whether nothing is offered.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.in_node_status.is_empty()
    }

    fn add_epc(&mut self, profile: ResourceProfile, share: &Epc, offer: &Offer) {
        let name = profile.epc_resource();
        let quantity = share.total().checked_div(profile.unit()).unwrap_or(0);
        if quantity == 0 {
            warn!("{name}: no EPC is left for it on this node");
            return;
        }
        if offer.counts_in_node_status(profile) {
            self.in_node_status.push(NodeResource { name, quantity });
            return;
        }
        if quantity > MAX_DEVICES {
            warn!(
                "{name}: {} of {} are offered, since the kubelet takes no more devices; to offer all of \
                 it, count it in the node's status (--epc-accounting node-status)",
                ByteSize(MAX_DEVICES.saturating_mul(profile.unit())),
                ByteSize(share.total())
            );
        }
        let devices = DeviceList::of_epc(share, profile.unit());
        let device_node = offer.has_device_nodes.then_some(DeviceNode::Enclave);
        self.resources.push(Resource { name, devices, device_node, for_enclaves: true });
    }

    /// Adds a resource that stands for a device node, which this many containers can have at a time.
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
