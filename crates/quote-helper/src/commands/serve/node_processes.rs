//! Processes of other pods that this one could look into.
//!
//! The service shares its node's PID namespace, so that the kernel tells which pod asks for a
//! quote. Then /proc shows the processes of all pods, and the files of those that run as the same
//! user. The sandbox keeps a compromised service away from them.

use std::env::var_os;
use std::fs::read_to_string;

use anyhow::ensure;

/// A variable of every container of a pod.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";

/// Refuses to serve from a pod with its node's processes and without a sandbox.
pub(super) fn are_out_of_reach(is_sandboxed: bool) -> anyhow::Result<()> {
    ensure!(
        is_sandboxed || !has_node_processes(),
        "this pod shares its node's PID namespace (hostPID), and the kernel has no Landlock to \
         isolate a compromised service from the processes of other pods. Install with --host-pid \
         false (the pods of a user are then one caller), use nodes with Landlock, or accept the risk \
         with --sandbox=false"
    );
    Ok(())
}

/// True if the first process in this PID namespace is another pod's, or the node's.
fn has_node_processes() -> bool {
    let group = |process: &str| read_to_string(format!("/proc/{process}/cgroup")).ok();
    var_os(IN_A_POD).is_some() && group("1") != group("self")
}
