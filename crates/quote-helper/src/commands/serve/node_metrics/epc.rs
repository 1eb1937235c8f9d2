//! Enclave memory (EPC), in bytes.

use std::fs;
use std::path::Path;

use kubernetes::device_plugin::epc_sections;
use raw_cpuid::CpuIdReaderNative;

/// The EPC of the processor, by CPUID.
pub(super) fn total() -> i64 {
    let total = epc_sections(CpuIdReaderNative).fold(0, u64::saturating_add);
    total.try_into().unwrap_or(i64::MAX)
}

/// The EPC in use by the cgroup of this process, workers included, if the kernel counts it: with
/// the misc controller of cgroup v2 and its resource `sgx_epc`.
pub(super) fn in_use() -> Option<i64> {
    let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let cgroup = cgroups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let file = Path::new("/sys/fs/cgroup").join(cgroup).join("misc.current");
    parse_misc_current(&fs::read_to_string(file).ok()?)
}

/// Reads `misc.current`: a resource and an amount in each line.
fn parse_misc_current(text: &str) -> Option<i64> {
    text.lines().find_map(|line| line.strip_prefix("sgx_epc ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epc_in_use_is_read_from_misc_current_if_the_kernel_counts_it() {
        assert_eq!(parse_misc_current("sev 0\nsgx_epc 94371840\n"), Some(94_371_840));
        for silent in ["", "sev 0\nsev_es 0\n", "sgx_epc max\n", "sgx_epc\n"] {
            assert_eq!(parse_misc_current(silent), None, "{silent:?}");
        }
    }
}
