//! The kubelet's checkpoint, which names the resources that it counts in devices.
//!
//! The kubelet keeps such a resource at zero, whatever the node's status says, until it forgets it:
//! five minutes after the last plugin has gone, or after its own restart. It refuses pods with it
//! for as long as a container has some of its devices.

use std::path::Path;

/// The file in the kubelet's directory of plugins.
const FILE: &str = "kubelet_internal_checkpoint";
/// The name of the field with the resource of a container's devices.
const OF_CONTAINER: &str = "\"ResourceName\":";

/// The text of the checkpoint. Only whole names of resources are searched in it, so that its format
/// may change.
pub(super) struct Checkpoint(String);

impl Checkpoint {
    /// Reads it; without it, the kubelet counts nothing in devices.
    pub(super) async fn read(plugin_dir: &Path) -> Self {
        Self(tokio::fs::read_to_string(plugin_dir.join(FILE)).await.unwrap_or_default())
    }

    /// True if the kubelet counts this resource in devices.
    pub(super) fn names(&self, resource: &str) -> bool {
        self.0.contains(&format!("{resource:?}"))
    }

    /// The reason why this resource is not allocatable, and the fix.
    pub(super) fn problem(&self, resource: &str) -> String {
        match self.0.contains(&format!("{OF_CONTAINER}{resource:?}")) {
            true => format!(
                "the kubelet does not allocate {resource}, since it has counted it in devices and \
                 some containers still have theirs; drain the node"
            ),
            false => format!(
                "the kubelet does not allocate {resource} yet, since it has counted it in devices; \
                 this takes up to five minutes"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Checkpoint;

    const NAME: &str = "sgx.intel.com/epc";

    #[test]
    fn a_resource_is_found_by_its_whole_name() {
        let registered = r#"{"Data":{"RegisteredDevices":{"sgx.intel.com/epc":[]}}}"#;
        let of_container =
            r#"{"Data":{"PodDeviceEntries":[{"ResourceName":"sgx.intel.com/epc"}]}}"#;
        let other = r#"{"Data":{"RegisteredDevices":{"sgx.intel.com/epcs":[]}}}"#;
        for (text, is_named, fix) in [
            (registered, true, "five minutes"),
            (of_container, true, "drain the node"),
            (other, false, "five minutes"),
            ("", false, "five minutes"),
        ] {
            let checkpoint = Checkpoint(text.to_owned());
            assert_eq!(checkpoint.names(NAME), is_named, "{text}");
            assert!(checkpoint.problem(NAME).contains(fix), "{text}");
        }
    }
}
