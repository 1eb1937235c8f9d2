//! The size of the machine's enclave memory (EPC), by NUMA node.

use std::fs;
use std::path::Path;

use bytesize::ByteSize;
use raw_cpuid::{CpuId, CpuIdReader, SgxInfo, SgxSectionInfo};
use tracing::warn;

/// Linux uses at most eight EPC sections; a hypervisor can report any number.
const MAX_SECTIONS: usize = 8;

/// Linux's directory of NUMA nodes.
pub const NUMA_NODES: &str = "/sys/devices/system/node";

/// Enclave memory (EPC), by NUMA node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epc {
    parts: Vec<EpcPart>,
}

/// The enclave memory of one NUMA node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpcPart {
    /// The node's number, if known.
    pub(crate) numa_node: Option<u32>,
    /// In bytes.
    pub(crate) size: u64,
}

impl Epc {
    /// Reads the size from CPUID (see [`epc_sections`]) and from the kernel's `sgx_total_bytes`
    /// below `numa_nodes` ([`NUMA_NODES`]; Linux 5.17 and later). If they differ the smaller
    /// counts, so that no missing memory is offered.
    #[must_use]
    pub fn detect(cpuid: impl CpuIdReader, numa_nodes: &Path) -> Self {
        let processor = epc_sections(cpuid).fold(0, u64::saturating_add);
        let Some(kernel) = kernel_epc(numa_nodes) else {
            return Self::of_size(processor);
        };
        let total = kernel.total();
        if processor == total {
            return kernel;
        }
        warn!(
            "the processor has {} of EPC, the kernel uses {}: using the smaller; --epc-size \
             overrides it",
            ByteSize(processor),
            ByteSize(total)
        );
        if total < processor { kernel } else { Self::of_size(processor) }
    }

    /// `size` bytes of an unknown NUMA node.
    #[must_use]
    pub fn of_size(size: u64) -> Self {
        Self { parts: vec![EpcPart { numa_node: None, size }] }
    }

    /// The total, in bytes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts.iter().fold(0, |total, part| total.saturating_add(part.size))
    }

    /// Removes up to `size` bytes and returns them.
    #[must_use]
    pub fn take(&mut self, size: u64) -> Self {
        let mut missing = size;
        let taken = self.parts.iter_mut().map(|part| {
            let size = part.size.min(missing);
            missing = missing.saturating_sub(size);
            part.size = part.size.saturating_sub(size);
            EpcPart { size, ..*part }
        });
        Self { parts: taken.collect() }
    }

    pub(crate) fn parts(&self) -> &[EpcPart] {
        &self.parts
    }
}

/// The sizes of the EPC sections in bytes; empty if SGX is off (SDM 2A, CPUID, leaf 0x12).
pub fn epc_sections(cpuid: impl CpuIdReader) -> impl Iterator<Item = u64> {
    let sgx = CpuId::with_cpuid_reader(cpuid).get_sgx_info().filter(SgxInfo::has_sgx1);
    let sections: Vec<u64> = sgx
        .iter()
        .flat_map(|sgx| sgx.iter().take(MAX_SECTIONS))
        .map(|SgxSectionInfo::Epc(section)| section.size())
        .collect();
    sections.into_iter()
}

/// The kernel's sizes by NUMA node; `None` if there are none, or one is no number.
fn kernel_epc(numa_nodes: &Path) -> Option<Epc> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(numa_nodes).ok()? {
        let directory = entry.ok()?;
        let name = directory.file_name();
        let Some(number) = name.to_str().and_then(|name| name.strip_prefix("node")?.parse().ok())
        else {
            continue;
        };
        let file = directory.path().join("x86/sgx_total_bytes");
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Ok(size) = text.trim().parse() else {
            warn!("{} holds no number: the kernel's EPC sizes are ignored", file.display());
            return None;
        };
        parts.push(EpcPart { numa_node: Some(number), size });
    }
    parts.sort_by_key(|part| part.numa_node);
    (!parts.is_empty()).then_some(Epc { parts })
}

#[cfg(test)]
mod tests {
    use raw_cpuid::CpuIdResult;

    use super::*;

    const GIB: u64 = 1 << 30;

    /// A CPUID reader of a processor with these EPC sections.
    fn processor(sections: &[u64]) -> impl CpuIdReader + use<> {
        // Sections begin at subleaf 2.
        let subleaves = [&[0, 0], sections].concat();
        move |leaf, subleaf: u32| match (leaf, subleaf) {
            (0, _) => CpuIdResult { eax: 0x12, ebx: 0, ecx: 0, edx: 0 },
            (7, 0) => CpuIdResult { eax: 0, ebx: 1 << 2, ecx: 0, edx: 0 },
            (0x12, 0) => CpuIdResult { eax: 1, ebx: 0, ecx: 0, edx: 0 },
            (0x12, 2..) => match subleaves.get(subleaf as usize) {
                Some(size) => CpuIdResult {
                    eax: 1,
                    ebx: 0,
                    ecx: (*size as u32 & 0xffff_f000) | 1,
                    edx: (*size >> 32) as u32,
                },
                None => CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 },
            },
            _ => CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 },
        }
    }

    /// A directory with NUMA nodes as Linux has them.
    fn numa_nodes(nodes: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("online"), "0-1\n").unwrap();
        fs::create_dir(directory.path().join("nodes_of_another_kind")).unwrap();
        for (name, size) in nodes {
            fs::create_dir_all(directory.path().join(name).join("x86")).unwrap();
            fs::write(directory.path().join(name).join("x86/sgx_total_bytes"), size).unwrap();
        }
        directory
    }

    fn part(numa_node: u32, size: u64) -> EpcPart {
        EpcPart { numa_node: Some(numa_node), size }
    }

    #[test]
    fn the_processors_sections_are_summed() {
        let nowhere = numa_nodes(&[]);
        let epc = Epc::detect(processor(&[64 * GIB, 4 * GIB]), nowhere.path());
        assert_eq!(epc, Epc::of_size(68 * GIB));
        let epc = Epc::detect(processor(&[GIB]), Path::new("/nonexistent"));
        assert_eq!(epc, Epc::of_size(GIB));
    }

    #[test]
    fn a_machine_without_sgx_has_no_epc() {
        let nothing = |_, _| CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
        assert_eq!(Epc::detect(nothing, Path::new("/nonexistent")).total(), 0);
        let everything = |_, _| CpuIdResult { eax: !0, ebx: !0, ecx: !0, edx: !0 };
        let _ = Epc::detect(everything, Path::new("/nonexistent"));
    }

    #[test]
    fn the_number_of_sections_is_limited() {
        assert_eq!(epc_sections(processor(&[GIB; 100])).count(), MAX_SECTIONS);
    }

    #[test]
    fn numa_nodes_are_read_from_the_kernel() {
        let nodes = numa_nodes(&[("node1", "4294967296\n"), ("node0", "8589934592\n")]);
        let epc = Epc::detect(processor(&[8 * GIB, 4 * GIB]), nodes.path());
        assert_eq!(epc.parts(), [part(0, 8 * GIB), part(1, 4 * GIB)]);
    }

    #[test]
    fn the_smaller_size_of_processor_and_kernel_counts() {
        let nodes = numa_nodes(&[("node0", "1073741824\n")]);
        let epc = Epc::detect(processor(&[2 * GIB]), nodes.path());
        assert_eq!(epc.parts(), [part(0, GIB)]);
        let epc = Epc::detect(processor(&[GIB / 2]), nodes.path());
        assert_eq!(epc, Epc::of_size(GIB / 2));
    }

    #[test]
    fn invalid_sizes_of_the_kernel_are_ignored() {
        for nonsense in ["", "many", "-1", "99999999999999999999999", "1 2"] {
            let nodes = numa_nodes(&[("node0", "1073741824"), ("node1", nonsense)]);
            let epc = Epc::detect(processor(&[GIB]), nodes.path());
            assert_eq!(epc, Epc::of_size(GIB), "{nonsense:?}");
        }
    }

    #[test]
    fn taken_epc_is_removed() {
        let mut epc = Epc { parts: vec![part(0, 8 * GIB), part(1, 4 * GIB)] };
        let taken = epc.take(10 * GIB);
        assert_eq!(taken.parts(), [part(0, 8 * GIB), part(1, 2 * GIB)]);
        assert_eq!(epc.parts(), [part(0, 0), part(1, 2 * GIB)]);
        assert_eq!(epc.take(u64::MAX).total(), 2 * GIB);
        assert_eq!(epc.total(), 0);
    }
}
