//! The kernel's SGX driver, and the enclave memory that it manages.

use std::fs;
use std::path::Path;

use quoting::SGX_ENCLAVE_DEVICE;

use super::processor::{Processor, SEE_PROCESSOR, mebibytes};
use crate::finding::Finding;

/// The device of Intel's DCAP driver for older kernels.
pub(crate) const DCAP_DRIVER_DEVICE: &str = "/dev/sgx/enclave";

/// The device of Intel's driver from before flexible launch control, for EPID only.
const LEGACY_DEVICE: &str = "/dev/isgx";

/// The first release of Linux with an SGX driver.
const FIRST_RELEASE: (u32, u32) = (5, 11);

#[derive(Debug, Clone, Default)]
pub(crate) struct Driver {
    /// The kernel's release, such as 6.8.0-45-generic.
    release: String,
    /// CONFIG_X86_SGX of the kernel's build; `None` if unknown.
    is_configured: Option<bool>,
    /// True if the kernel's command line turns SGX off.
    is_forbidden: bool,
    /// The features of /proc/cpuinfo, which the kernel allows, separated by spaces.
    features: String,
    /// The known device nodes that exist.
    devices: Vec<&'static str>,
    /// The EPC of each NUMA node in bytes; empty if the kernel does not tell.
    epc: Vec<u64>,
}

impl Driver {
    pub(crate) fn gather() -> Self {
        let release = read("/proc/sys/kernel/osrelease").trim().to_owned();
        let known = [SGX_ENCLAVE_DEVICE, DCAP_DRIVER_DEVICE, LEGACY_DEVICE];
        Self {
            is_configured: is_configured(&read(&format!("/boot/config-{release}"))),
            is_forbidden: read("/proc/cmdline").split_whitespace().any(|word| word == "nosgx"),
            features: features(&read("/proc/cpuinfo")),
            devices: known.into_iter().filter(|device| Path::new(device).exists()).collect(),
            epc: epc_of_nodes(),
            release,
        }
    }

    pub(crate) fn findings(&self, processor: &Processor) -> Vec<Finding> {
        vec![self.driver(processor), self.kernel_epc(processor)]
    }

    fn driver(&self, processor: &Processor) -> Finding {
        let name = "driver";
        let has = |device| self.devices.contains(&device);
        if has(SGX_ENCLAVE_DEVICE) {
            return Finding::ok(name, format!("the SGX driver of Linux {}", self.release));
        }
        if has(DCAP_DRIVER_DEVICE) {
            return Finding::warning(
                name,
                format!("Intel's DCAP driver for older kernels, with {DCAP_DRIVER_DEVICE}"),
                format!(
                    "move to Linux 5.11 or newer, which has the driver; till then, ln -s \
                     {DCAP_DRIVER_DEVICE} {SGX_ENCLAVE_DEVICE}"
                ),
            );
        }
        if has(LEGACY_DEVICE) {
            return Finding::failed(
                name,
                format!("Intel's legacy driver ({LEGACY_DEVICE}), which cannot do DCAP"),
                "remove the module isgx, and boot Linux 5.11 or newer, which has the driver",
            );
        }
        if !processor.runs_enclaves() {
            return Finding::skipped(
                name,
                "no driver, and no SGX that it could drive",
                SEE_PROCESSOR,
            );
        }
        let (detail, fix) = self.missing_device(processor);
        Finding::failed(name, detail, fix)
    }

    /// The reason why a processor with SGX has no device, and the fix.
    fn missing_device(&self, processor: &Processor) -> (String, &'static str) {
        if let Some(reason) = self.missing_driver() {
            return reason;
        }
        let has_feature = |name| self.features.split(' ').any(|feature| feature == name);
        if !has_feature("sgx") {
            return (
                "the kernel found SGX unusable, though the processor has it".to_owned(),
                "see the kernel log: dmesg | grep -i sgx; most often SGX is off in the firmware",
            );
        }
        if processor.has_flc && !has_feature("sgx_lc") {
            return (
                "the firmware has locked launch control, so the driver did not start".to_owned(),
                "set \"SGX launch control\" to \"Unlocked\" in the firmware, and reboot",
            );
        }
        (
            format!("the kernel has SGX, but {SGX_ENCLAVE_DEVICE} is not here"),
            "in a container, give it the device (docker run --device /dev/sgx_enclave; in \
             Kubernetes ask for the device plugin's resource, sgx.intel.com/enclave or \
             kubernetes.azure.com/sgx_epc_mem_in_MiB); else see dmesg | grep -i sgx",
        )
    }

    /// The reason in the kernel itself, if there is one, and the fix.
    fn missing_driver(&self) -> Option<(String, &'static str)> {
        let release = &self.release;
        if self.is_forbidden {
            return Some((
                "the kernel's command line turns SGX off".to_owned(),
                "take nosgx off the kernel's command line (GRUB: /etc/default/grub), and reboot",
            ));
        }
        if parse_release(release).is_some_and(|release| release < FIRST_RELEASE) {
            return Some((
                format!("Linux {release} has no SGX driver"),
                "boot Linux 5.11 or newer, which has one",
            ));
        }
        (self.is_configured == Some(false)).then(|| {
            (
                format!("Linux {release} was built without its SGX driver"),
                "boot a kernel that was built with CONFIG_X86_SGX=y",
            )
        })
    }

    fn kernel_epc(&self, processor: &Processor) -> Finding {
        let name = "kernel-epc";
        if !processor.runs_enclaves() {
            return Finding::skipped(name, "no enclave memory to manage", SEE_PROCESSOR);
        }
        if self.epc.is_empty() {
            return Finding::skipped(
                name,
                "this kernel does not tell how much enclave memory it manages",
                "boot Linux 5.17 or newer to see it in /sys/devices/system/node/node*/x86/",
            );
        }
        if self.epc.iter().all(|size| *size == 0) {
            return Finding::failed(
                name,
                "the kernel manages no enclave memory, though the processor has some",
                "see the kernel log: dmesg | grep -i sgx",
            );
        }
        let sizes: Vec<String> = self.epc.iter().map(|size| mebibytes(*size)).collect();
        Finding::ok(name, format!("enclave memory by NUMA node: {}", sizes.join(", ")))
    }
}

/// A file of the kernel's; a missing one counts as empty.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn is_configured(config: &str) -> Option<bool> {
    (!config.is_empty()).then(|| config.lines().any(|line| line == "CONFIG_X86_SGX=y"))
}

/// The features of the first processor in /proc/cpuinfo.
fn features(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("flags"));
    let features = line.and_then(|line| line.split_once(": "));
    features.map_or_else(String::new, |(_, features)| features.to_owned())
}

/// The first two numbers of a version.
pub(super) fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn epc_of_nodes() -> Vec<u64> {
    let Ok(nodes) = fs::read_dir("/sys/devices/system/node") else { return Vec::new() };
    let mut nodes: Vec<_> = nodes.flatten().map(|node| node.path()).collect();
    nodes.sort();
    let sizes = nodes.iter().map(|node| fs::read_to_string(node.join("x86/sgx_total_bytes")));
    sizes.flatten().flat_map(|size| size.trim().parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    /// A kernel with an SGX driver, but no device.
    fn without_device() -> Driver {
        Driver {
            release: "6.8.0-45-generic".to_owned(),
            is_configured: Some(true),
            features: "fpu sgx sgx_lc".to_owned(),
            ..Driver::default()
        }
    }

    #[test]
    fn the_driver_of_the_kernel_is_fine() {
        let devices = vec![SGX_ENCLAVE_DEVICE, DCAP_DRIVER_DEVICE];
        let epc = vec![64 << 20, 0];
        let driver = Driver { devices, epc, ..without_device() };
        let [driver, epc] = driver.findings(&fixtures::server()).try_into().unwrap();
        assert_eq!(driver, Finding::ok("driver", "the SGX driver of Linux 6.8.0-45-generic"));
        assert_eq!(epc, Finding::ok("kernel-epc", "enclave memory by NUMA node: 64 MiB, 0 MiB"));
    }

    #[test]
    fn old_drivers_are_named() {
        for (device, status, fix) in [
            (LEGACY_DEVICE, Status::Failed, "isgx"),
            (DCAP_DRIVER_DEVICE, Status::Warning, "ln -s /dev/sgx/enclave /dev/sgx_enclave"),
        ] {
            let driver = Driver { devices: vec![device], ..without_device() };
            let finding = driver.driver(&fixtures::desktop_without_flc());
            assert_eq!(finding.status, status, "{device}");
            assert!(finding.detail.contains(device), "{device}");
            assert!(finding.fix.unwrap().contains(fix), "{device}");
        }
    }

    #[test]
    fn a_missing_device_has_its_reason() {
        let old = "5.4.0-200-generic".to_owned();
        for (driver, fix) in [
            (Driver { is_forbidden: true, ..without_device() }, "nosgx"),
            (Driver { release: old, ..without_device() }, "5.11"),
            (Driver { is_configured: Some(false), ..without_device() }, "CONFIG_X86_SGX=y"),
            (Driver { features: "fpu".to_owned(), ..without_device() }, "dmesg"),
            (Driver { features: "fpu sgx".to_owned(), ..without_device() }, "\"Unlocked\""),
            (without_device(), "--device /dev/sgx_enclave"),
        ] {
            let finding = driver.driver(&fixtures::server());
            assert_eq!(finding.status, Status::Failed);
            assert!(finding.fix.as_ref().unwrap().contains(fix), "{finding:?}");
        }
    }

    #[test]
    fn a_kernel_without_enclave_memory_differs_from_one_that_does_not_report_it() {
        let none = Driver { epc: vec![0, 0], ..without_device() };
        assert_eq!(none.kernel_epc(&fixtures::server()).status, Status::Failed);
        assert_eq!(without_device().kernel_epc(&fixtures::server()).status, Status::Skipped);
    }

    #[test]
    fn without_sgx_no_driver_is_missed() {
        for finding in without_device().findings(&fixtures::amd()) {
            assert_eq!(finding.status, Status::Skipped);
        }
    }

    #[test]
    fn files_of_the_kernel_are_understood() {
        assert_eq!(parse_release("5.11.0-1-generic"), Some((5, 11)));
        assert_eq!(parse_release("6.12-rc1"), Some((6, 12)));
        assert_eq!(parse_release("next"), None);
        assert_eq!(is_configured(""), None);
        assert_eq!(is_configured("CONFIG_X86=y\n# CONFIG_X86_SGX is not set\n"), Some(false));
        assert_eq!(is_configured("CONFIG_X86=y\nCONFIG_X86_SGX=y\n"), Some(true));
        assert_eq!(features("processor\t: 0\nflags\t\t: fpu sgx\n\nflags\t\t: fpu"), "fpu sgx");
    }
}
