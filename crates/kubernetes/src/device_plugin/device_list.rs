//! The devices of a resource, one for each allocatable unit.
//!
//! The kubelet takes the list as one gRPC message of at most 4 MiB. Names of three characters out
//! of 64 give 262,144 devices of 16 bytes each, which fill exactly that message: with a device for
//! each MiB, a list covers up to 256 GiB of EPC.

use std::collections::HashSet;

use prost::Message;

use super::epc::Epc;
use crate::api::v1beta1::{Device, ListAndWatchResponse, NumaNode, TopologyInfo};

/// The kubelet's limit for a message, in bytes: the default of its gRPC library.
const MAX_MESSAGE: usize = 4 << 20;

/// The API's names of a device's health.
const HEALTHY: &str = "Healthy";
const UNHEALTHY: &str = "Unhealthy";

/// The characters of names, as in base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The maximum length of a list.
pub(crate) const MAX_DEVICES: u64 = 64 * 64 * 64;

/// Devices, named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceList {
    ranges: Vec<Range>,
}

/// Consecutive devices of one NUMA node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    numa_node: Option<u32>,
    length: u32,
}

/// An invalid list of device names.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("there is no device {0:?}; names are from \"AAA\" on, and there are {1} devices")]
    Unknown(String, u32),
    #[error("the device {0:?} is named twice")]
    Twice(String),
}

impl DeviceList {
    /// A list without NUMA nodes, of at most [`MAX_DEVICES`].
    pub(crate) fn of_length(length: u32) -> Self {
        Self { ranges: vec![Range { numa_node: None, length }] }
    }

    /// A device for each `unit` bytes of the EPC, at most [`MAX_DEVICES`]. NUMA nodes are included
    /// if there are several, and if the message has room for them.
    pub(crate) fn of_epc(epc: &Epc, unit: u64) -> Self {
        let mut left = MAX_DEVICES;
        let ranges = epc.parts().iter().map(|part| {
            let length = part.size.checked_div(unit).unwrap_or(0).min(left);
            left = left.saturating_sub(length);
            Range { numa_node: part.numa_node, length: u32::try_from(length).unwrap_or(u32::MAX) }
        });
        let mut list = Self { ranges: ranges.filter(|range| range.length > 0).collect() };
        if list.ranges.len() < 2 || !fits(&list.with_health(HEALTHY)) {
            list = Self::of_length(list.len());
        }
        list
    }

    /// The number of devices.
    pub(crate) fn len(&self) -> u32 {
        self.ranges.iter().fold(0, |length, range| length.saturating_add(range.length))
    }

    /// The message to the kubelet.
    pub(crate) fn message(&self, healthy: bool) -> ListAndWatchResponse {
        if healthy {
            return self.with_health(HEALTHY);
        }
        let list = self.with_health(UNHEALTHY);
        // The kubelet takes every other word for unhealthy, and the longest lists have no room for
        // this one.
        if fits(&list) { list } else { self.with_health("") }
    }

    fn with_health(&self, health: &str) -> ListAndWatchResponse {
        let places = self.ranges.iter().flat_map(|range| {
            std::iter::repeat_n(range.numa_node, usize::try_from(range.length).unwrap_or(0))
        });
        let devices = places.zip(0..).map(|(numa_node, number)| Device {
            id: name(number),
            health: health.to_owned(),
            // An empty topology would mean "fits no NUMA node".
            topology: numa_node
                .map(|node| TopologyInfo { nodes: vec![NumaNode { id: node.into() }] }),
        });
        ListAndWatchResponse { devices: devices.collect() }
    }

    /// Checks that all names exist and none occurs twice.
    ///
    /// # Errors
    /// [`NameError`] with the first invalid name.
    pub(crate) fn check<'a>(
        &self,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(), NameError> {
        let length = self.len();
        let mut seen = HashSet::new();
        for name in names {
            let number = number(name).filter(|number| *number < length);
            let number = number.ok_or_else(|| NameError::Unknown(shorten(name), length))?;
            if !seen.insert(number) {
                return Err(NameError::Twice(name.clone()));
            }
        }
        Ok(())
    }
}

/// True if the kubelet accepts the message.
fn fits(list: &ListAndWatchResponse) -> bool {
    list.encoded_len() <= MAX_MESSAGE
}

/// The device's name: three characters, the most significant first.
fn name(number: u32) -> String {
    let character = |shift: u32| {
        let index = usize::try_from((number >> shift) & 63).unwrap_or(0);
        ALPHABET.get(index).copied().map_or('A', char::from)
    };
    [12, 6, 0].into_iter().map(character).collect()
}

/// The device's number.
fn number(name: &str) -> Option<u32> {
    let characters: [u8; 3] = name.as_bytes().try_into().ok()?;
    characters.into_iter().try_fold(0, |number: u32, character| {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        Some((number << 6) | u32::try_from(digit).ok()?)
    })
}

fn shorten(name: &str) -> String {
    name.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_a_name_of_its_own() {
        for each in 0..u32::try_from(MAX_DEVICES).unwrap() {
            assert_eq!(number(&name(each)), Some(each));
        }
        assert_eq!([0, 1, 63, 64, 262_143].map(name), ["AAA", "AAB", "AA_", "ABA", "___"]);
    }

    #[test]
    fn the_longest_list_is_the_longest_message_that_the_kubelet_takes() {
        let list = DeviceList::of_epc(&Epc::of_size(MAX_DEVICES << 20), 1 << 20);
        assert_eq!(list.len(), 262_144);
        assert_eq!(list.message(true).encoded_len(), MAX_MESSAGE);
        assert!(list.message(false).encoded_len() <= MAX_MESSAGE);
        assert!(list.message(false).devices.iter().all(|device| device.health != HEALTHY));
        assert_eq!(DeviceList::of_length(1).message(false).devices[0].health, UNHEALTHY);
    }

    #[test]
    fn a_list_ends_at_the_maximum() {
        let list = DeviceList::of_epc(&Epc::of_size(u64::MAX), 1 << 20);
        assert_eq!(list.len(), 262_144);
    }

    #[test]
    fn names_of_other_devices_are_refused() {
        let list = DeviceList::of_length(65);
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            list.check(names.iter())
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["AAA", "ABA", "AA_"]), Ok(()));
        assert_eq!(check(&["AAA", "AAB", "AAA"]), Err(NameError::Twice("AAA".to_owned())));
        for unknown in ["ABB", "___", "", "A", "AAAA", "AA=", "aé", "\0\0\0"] {
            assert_eq!(check(&[unknown]), Err(NameError::Unknown(unknown.to_owned(), 65)));
        }
        let long = "x".repeat(1 << 20);
        assert_eq!(check(&[&long]), Err(NameError::Unknown("x".repeat(32), 65)));
    }
}
