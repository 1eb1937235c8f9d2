//! SGX's device nodes in the form of the Container Device Interface (CDI), for runtimes that take device
//! names from the kubelet (Kubernetes 1.28 and later).

use std::io;
use std::path::Path;

use atomic_file::Readers;
use serde_json::json;

use super::allocator::Allocator;
use super::device_node::{CDI_KIND, DeviceNode};

/// The description's file, named after vendor and class as CDI recommends.
const FILE: &str = "sgx-quote-helper-sgx.json";

/// Describes the device nodes that are there, in `directory`. The file stays when the plugin ends: the
/// runtime needs it whenever it starts a container anew.
///
/// # Errors
/// What the system says if the file cannot be written; the former one is left then.
pub(crate) fn describe(allocator: &Allocator, directory: &Path) -> io::Result<()> {
    let devices = DeviceNode::ALL.into_iter().filter_map(|device_node| {
        let host = allocator.find(device_node).ok()?;
        let nodes = device_node.names().map(
            |name| json!({ "path": format!("/dev/{name}"), "hostPath": host, "permissions": "rw" }),
        );
        Some(json!({
            "name": device_node.cdi_name(),
            "containerEdits": { "deviceNodes": nodes },
        }))
    });
    // Version 0.5.0 brought hostPath.
    let description = json!({
        "cdiVersion": "0.5.0",
        "kind": CDI_KIND,
        "devices": devices.collect::<Vec<_>>(),
    });
    std::fs::create_dir_all(directory)?;
    let json = format!("{description:#}\n");
    atomic_file::replace(&directory.join(FILE), json.as_bytes(), Readers::Everyone)
}
