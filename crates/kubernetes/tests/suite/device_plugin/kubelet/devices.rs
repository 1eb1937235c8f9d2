//! What the kubelet knows of one resource's devices.

use std::collections::HashSet;

use kubernetes::api::v1beta1::ListAndWatchResponse;

#[derive(Default)]
pub(crate) struct Devices {
    /// As the plugin has sent it last.
    pub(crate) list: ListAndWatchResponse,
    /// How many devices there are, and how many of them are healthy.
    numbers: (usize, usize),
    /// Whether the plugin still says so.
    is_current: bool,
    /// The names of those that containers have.
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

    /// The plugin is gone: none counts as healthy any more.
    pub(crate) fn forget_health(&mut self) {
        self.is_current = false;
    }

    /// The kubelet itself is gone, and with it all it knew but who has what.
    pub(crate) fn forget_list(&mut self) {
        *self = Self { allocated: std::mem::take(&mut self.allocated), ..Self::default() };
    }

    pub(crate) fn capacity(&self) -> usize {
        self.numbers.0
    }

    pub(crate) fn allocatable(&self) -> usize {
        if self.is_current { self.numbers.1 } else { 0 }
    }

    /// The names of so many that are healthy and nobody has.
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
