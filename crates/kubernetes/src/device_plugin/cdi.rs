//! The description of SGX's device nodes in the Container Device Interface (CDI), for runtimes that
//! take device names from the kubelet (Kubernetes 1.28 and later).

use std::io;
use std::path::Path;

use atomic_file::Readers;
use serde_json::json;

use super::allocator::Allocator;
use super::device_node::{CDI_KIND, DeviceNode};

/// The specification's file name: vendor and class, as CDI recommends.
const FILE: &str = "sgx-quote-helper-sgx.json";

/// Writes a specification of the existing device nodes into `directory`. The file outlives the
/// plugin: the runtime needs it to restart containers.
///
/// # Errors
/// I/O errors; the previous file is kept.
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
    // `hostPath` needs version 0.5.0.
    let description = json!({
        "cdiVersion": "0.5.0",
        "kind": CDI_KIND,
        "devices": devices.collect::<Vec<_>>(),
    });
    std::fs::create_dir_all(directory)?;
    let json = format!("{description:#}\n");
    atomic_file::replace(&directory.join(FILE), json.as_bytes(), Readers::Everyone)
}
