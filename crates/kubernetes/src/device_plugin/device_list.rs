//! The devices of one resource, as the kubelet counts them: one for each unit that can be given out.
//!
//! A list is one gRPC message, and the kubelet takes no message above 4 MiB. So names are as short as
//! they can be: three characters of 64 make 262,144 names, and with them a device has 16 bytes in the
//! message. 262,144 devices of 16 bytes are 4 MiB to the byte. A device for each MiB thus serves machines
//! with up to 256 GiB of EPC.

use std::collections::HashSet;

use prost::Message;

use super::epc::Epc;
use crate::api::v1beta1::{Device, ListAndWatchResponse, NumaNode, TopologyInfo};

/// The most that the kubelet takes as one message, in bytes: the default of its gRPC library.
const MAX_MESSAGE: usize = 4 << 20;

/// What the API calls a device that can be given out, and one that cannot.
const HEALTHY: &str = "Healthy";
const UNHEALTHY: &str = "Unhealthy";

/// The characters of a device's name, as in base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The most devices that a list holds.
pub(crate) const MAX_DEVICES: u64 = 64 * 64 * 64;

/// Devices, named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceList {
    ranges: Vec<Range>,
}

/// Devices with consecutive numbers in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    numa_node: Option<u32>,
    length: u32,
}

/// Names that do not tell which devices are meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("there is no device {0:?}; names are from \"AAA\" on, and there are {1} devices")]
    Unknown(String, u32),
    #[error("the device {0:?} is named twice")]
    Twice(String),
}

impl DeviceList {
    /// Devices that are all in the same place or have none; at most [`MAX_DEVICES`].
    pub(crate) fn of_length(length: u32) -> Self {
        Self { ranges: vec![Range { numa_node: None, length }] }
    }

    /// A device for each `unit` bytes of the EPC, at most [`MAX_DEVICES`]. The NUMA nodes are told if
    /// there are several, and if the list fits into a message with them.
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

    /// How many devices there are.
    pub(crate) fn len(&self) -> u32 {
        self.ranges.iter().fold(0, |length, range| length.saturating_add(range.length))
    }

    /// The list as the kubelet wants it.
    pub(crate) fn message(&self, healthy: bool) -> ListAndWatchResponse {
        if healthy {
            return self.with_health(HEALTHY);
        }
        let list = self.with_health(UNHEALTHY);
        // To the kubelet, all that is not healthy is unhealthy; the longest lists have no room for the word.
        if fits(&list) { list } else { self.with_health("") }
    }

    fn with_health(&self, health: &str) -> ListAndWatchResponse {
        let places = self.ranges.iter().flat_map(|range| {
            std::iter::repeat_n(range.numa_node, usize::try_from(range.length).unwrap_or(0))
        });
        let devices = places.zip(0..).map(|(numa_node, number)| Device {
            id: name(number),
            health: health.to_owned(),
            // No NUMA node must be no topology at all: an empty one means "fits nowhere".
            topology: numa_node
                .map(|node| TopologyInfo { nodes: vec![NumaNode { id: node.into() }] }),
        });
        ListAndWatchResponse { devices: devices.collect() }
    }

    /// Checks that each name is that of a device, and none is there twice.
    ///
    /// # Errors
    /// [`NameError`] says which name is wrong.
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

/// Whether the kubelet takes the message.
fn fits(list: &ListAndWatchResponse) -> bool {
    list.encoded_len() <= MAX_MESSAGE
}

/// The name of the device with this number: three characters, the first one the most significant.
fn name(number: u32) -> String {
    let character = |shift: u32| {
        let index = usize::try_from((number >> shift) & 63).unwrap_or(0);
        ALPHABET.get(index).copied().map_or('A', char::from)
    };
    [12, 6, 0].into_iter().map(character).collect()
}

/// The number of the device with this name.
fn number(name: &str) -> Option<u32> {
    let characters: [u8; 3] = name.as_bytes().try_into().ok()?;
    characters.into_iter().try_fold(0, |number: u32, character| {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        Some((number << 6) | u32::try_from(digit).ok()?)
    })
}

/// Enough of a name to recognize it.
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
    fn more_than_fits_is_not_listed() {
        let list = DeviceList::of_epc(&Epc::of_size(u64::MAX), 1 << 20);
        assert_eq!(list.len(), 262_144);
    }

    #[test]
    fn only_the_names_of_devices_pass() {
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
