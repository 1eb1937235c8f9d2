//! The kubelet's checkpoint, which names the resources that it counts in devices.
//!
//! The kubelet keeps such a resource at zero, whatever the node's status says, until five minutes
//! after the last plugin has gone, or after its own restart. Until another restart it refuses pods
//! with it even then.

use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

/// The file in the kubelet's directory of plugins.
const FILE: &str = "kubelet_internal_checkpoint";
/// The maximum size of the file, in bytes: 262,144 devices need 4 MiB.
const MAX_SIZE: u64 = 64 << 20;
/// The text of the checkpoint. Only whole names of resources are searched in it, so that its format
/// may change.
pub(super) struct Checkpoint {
    path: PathBuf,
    text: String,
}

impl Checkpoint {
    /// Reads it; without it, the kubelet counts nothing in devices.
    pub(super) async fn read(plugin_dir: &Path) -> Self {
        let path = plugin_dir.join(FILE);
        let file = path.clone();
        let read = spawn_blocking(move || untrusted_input::read(&file, MAX_SIZE));
        let bytes = read.await.ok().and_then(Result::ok).unwrap_or_default();
        Self { path, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// True if the kubelet counts this resource in devices.
    pub(super) fn names(&self, resource: &str) -> bool {
        self.text.contains(&format!("{resource:?}"))
    }

    /// The reason why this resource is not allocatable, and the fix.
    pub(super) fn problem(&self, resource: &str) -> String {
        format!(
            "the kubelet does not allocate {resource}, since it has counted it in devices: stop \
             the kubelet, remove {}, and start it",
            self.path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Checkpoint;

    #[test]
    fn a_resource_is_found_by_its_whole_name() {
        for (text, is_named) in [
            (r#"{"Data":{"RegisteredDevices":{"sgx.intel.com/epc":[]}}}"#, true),
            (r#"{"Data":{"PodDeviceEntries":[{"ResourceName":"sgx.intel.com/epc"}]}}"#, true),
            (r#"{"Data":{"RegisteredDevices":{"sgx.intel.com/epcs":[]}}}"#, false),
            ("", false),
        ] {
            let checkpoint = Checkpoint { path: PathBuf::new(), text: text.to_owned() };
            assert_eq!(checkpoint.names("sgx.intel.com/epc"), is_named, "{text}");
        }
    }
}
