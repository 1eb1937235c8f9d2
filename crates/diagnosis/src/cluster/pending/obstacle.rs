//! Reasons why a node with enough SGX resources does not take a pod.

use k8s_openapi::api::core::v1::{Node, Pod};

use crate::cluster::epc;
use crate::cluster::facts::is_on;
use crate::cluster::placement::{self, Placement};

/// The reason why one node does not take a pod.
pub(super) enum Obstacle<'a> {
    /// Its labels or taints.
    Placement(Placement),
    /// Other pods hold the resource.
    Full {
        resource: &'a str,
        /// The quantity that nobody holds.
        free: u64,
        /// The quantity that pods can have altogether.
        allocatable: u64,
        /// The pods that hold most, the largest first.
        holders: Vec<(&'a Pod, u64)>,
    },
}

impl<'a> Obstacle<'a> {
    /// The obstacle; `None` if it is not about SGX.
    pub(super) fn of(pod: &'a Pod, node: &'a Node, pods: &'a [Pod]) -> Option<Self> {
        match placement::of_pod(pod.spec.as_ref()?, node) {
            Placement::Fits => {}
            placement => return Some(Self::Placement(placement)),
        }
        let mut requested = epc::all_requested(pod).into_iter();
        requested.find_map(|(resource, requested)| {
            let allocatable = epc::allocatable(node, resource)?;
            let holders = pods.iter().filter(|other| is_on(other, node));
            let holders = holders.map(|other| (other, epc::requested_of(other, resource)));
            let mut holders: Vec<_> = holders.filter(|(_, holds)| *holds > 0).collect();
            holders.sort_by_key(|(_, holds)| std::cmp::Reverse(*holds));
            let held = holders.iter().fold(0_u64, |sum, (_, holds)| sum.saturating_add(*holds));
            let free = allocatable.saturating_sub(held);
            (free < requested).then_some(Self::Full { resource, free, allocatable, holders })
        })
    }
}
