//! The kubelet's record of a resource's devices.

use std::collections::HashSet;

use kubernetes::api::v1beta1::ListAndWatchResponse;

#[derive(Default)]
pub(crate) struct Devices {
    /// The last list of the plugin.
    pub(crate) list: ListAndWatchResponse,
    /// The number of devices, and of healthy ones.
    numbers: (usize, usize),
    /// True while the plugin's list is open.
    is_current: bool,
    /// The names of allocated devices.
    pub(crate) allocated: Vec<String>,
}

impl Devices {
    pub(crate) fn take_list(&mut self, list: ListAndWatchResponse) {
        self.list = list;
        self.is_current = true;
        let all: HashSet<_> = self.list.devices.iter().map(|device| &device.id).collect();
        let healthy: HashSet<_> = self.healthy().collect();
        self.numbers = (all.len(), healthy.len());
    }

    /// The plugin has ended: all devices count as unhealthy.
    pub(crate) fn forget_health(&mut self) {
        self.is_current = false;
    }

    /// The kubelet has ended: only allocations remain.
    pub(crate) fn forget_list(&mut self) {
        *self = Self { allocated: std::mem::take(&mut self.allocated), ..Self::default() };
    }

    pub(crate) fn capacity(&self) -> usize {
        self.numbers.0
    }

    pub(crate) fn allocatable(&self) -> usize {
        if self.is_current { self.numbers.1 } else { 0 }
    }

    /// The names of this many healthy, free devices.
    pub(crate) fn free(&self, quantity: usize) -> Vec<String> {
        let free = self.healthy().filter(|name| !self.allocated.contains(name));
        let free: Vec<_> = free.take(quantity).cloned().collect();
        assert_eq!(free.len(), quantity, "the scheduler does not let it come to this");
        free
    }

    fn healthy(&self) -> impl Iterator<Item = &String> {
        let healthy = self.list.devices.iter().filter(|device| device.health == "Healthy");
        healthy.map(|device| &device.id)
    }
}
