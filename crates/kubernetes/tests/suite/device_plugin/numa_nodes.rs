//! NUMA nodes of EPC, as hints for the kubelet's topology manager.

use std::fs;

use kubernetes::api::v1beta1::Device;
use kubernetes::device_plugin::Epc;
use raw_cpuid::{CpuIdReader, CpuIdResult};

use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, GIB, MIB, Node};
use crate::device_plugin::plugin::Plugin;

/// EPC in these NUMA nodes, as reported by processor and kernel.
pub(crate) fn epc(node: &Node, parts: &[(u32, u64)]) -> Epc {
    let numa_nodes = node.path("numa");
    for (number, size) in parts {
        let directory = numa_nodes.join(format!("node{number}/x86"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("sgx_total_bytes"), format!("{size}\n")).unwrap();
    }
    let sections = parts.iter().map(|(_, size)| *size).collect();
    Epc::detect(processor(sections), &numa_nodes)
}

/// A processor with EPC sections of these sizes.
fn processor(sections: Vec<u64>) -> impl CpuIdReader {
    move |leaf, subleaf: u32| match (leaf, subleaf) {
        (0, _) => CpuIdResult { eax: 0x12, ebx: 0, ecx: 0, edx: 0 },
        (7, 0) => CpuIdResult { eax: 0, ebx: 1 << 2, ecx: 0, edx: 0 },
        (0x12, 0) => CpuIdResult { eax: 1, ebx: 0, ecx: 0, edx: 0 },
        (0x12, section) if (2..sections.len() as u32 + 2).contains(&section) => {
            let size = sections[section as usize - 2];
            CpuIdResult { eax: 1, ebx: 0, ecx: size as u32 | 1, edx: (size >> 32) as u32 }
        }
        _ => CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 },
    }
}

/// The devices that the kubelet receives.
async fn devices(node: &Node, epc: Epc) -> Vec<Device> {
    let kubelet = Kubelet::start(node);
    let _plugin = Plugin::start_ready(node, node.options("azure", epc)).await;
    kubelet.list(AZURE).devices
}

/// The NUMA nodes of each device.
fn numa_nodes(device: &Device) -> Vec<i64> {
    let topology = device.topology.as_ref().expect("a topology");
    topology.nodes.iter().map(|node| node.id).collect()
}

#[tokio::test(start_paused = true)]
async fn devices_have_their_numa_node() {
    let node = Node::new();
    let devices = devices(&node, epc(&node, &[(0, 3 * MIB), (1, 2 * MIB)])).await;
    let expected: [&[i64]; 5] = [&[0], &[0], &[0], &[1], &[1]];
    assert_eq!(devices.iter().map(numa_nodes).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_mib_across_numa_nodes_is_not_offered() {
    let node = Node::new();
    let epc = epc(&node, &[(0, 2 * MIB + MIB / 2), (1, 2 * MIB + MIB / 2)]);
    assert_eq!(devices(&node, epc).await.len(), 4);
}

/// To the kubelet's topology manager an empty topology means "fits no NUMA node".
#[tokio::test(start_paused = true)]
async fn a_single_numa_node_has_no_topology() {
    let node = Node::new();
    for epc in [epc(&node, &[(0, 3 * MIB)]), Epc::of_size(3 * MIB)] {
        let devices = devices(&node, epc).await;
        assert_eq!(devices.len(), 3);
        assert!(devices.iter().all(|device| device.topology.is_none()), "{devices:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_topology_is_dropped_from_a_long_list() {
    let node = Node::new();
    let devices = devices(&node, epc(&node, &[(0, 128 * GIB), (1, 128 * GIB)])).await;
    assert_eq!(devices.len(), 262_144);
    assert!(devices.iter().all(|device| device.topology.is_none()));
}
