//! Processors, by their CPUID registers as the SDM defines them, and a software platform, for
//! tests.

use raw_cpuid::CpuIdResult;
use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;

use crate::finding::{Finding, Status};
use crate::host::Processor;

const INTEL: [u32; 3] = [0x756e_6547, 0x4965_6e69, 0x6c65_746e];
const AMD: [u32; 3] = [0x6874_7541, 0x6974_6e65, 0x444d_4163];

/// Leaf 1 ECX: a hypervisor is there.
const HYPERVISOR: u32 = 1 << 31;
/// Leaf 7 EBX.
const SGX: u32 = 1 << 2;
/// Leaf 7 ECX.
const SGX_LC: u32 = 1 << 30;
/// Leaf 0x12, subleaf 0, EAX.
const SGX1: u32 = 1 << 0;
const SGX2: u32 = 1 << 1;
/// Leaf 0x12, subleaf 1, EAX: DEBUG, MODE64BIT, PROVISIONKEY, EINITTOKENKEY, KSS.
const ALL_FLAGS: u32 = 0b1011_0110;
const NO_KSS: u32 = 0b0011_0110;
const NO_KEYS: u32 = 0b0000_0110;

/// The registers about SGX.
#[derive(Clone, Copy)]
struct Registers {
    vendor: [u32; 3],
    hypervisor: u32,
    leaf_7: (u32, u32),
    sgx_leaves: u32,
    flags: u32,
    /// EAX, EBX, ECX, EDX of the subleaves from 2 on: base and size, each low with the kind of
    /// section or its protection in the lowest bits, and high.
    epc: &'static [[u32; 4]],
}

/// Two sections, 64 GiB and 4224 MiB.
const SERVER: Registers = Registers {
    vendor: INTEL,
    hypervisor: 0,
    leaf_7: (SGX, SGX_LC),
    sgx_leaves: SGX1 | SGX2,
    flags: ALL_FLAGS,
    epc: &[[0x0000_0001, 0x10, 0x0000_0001, 0x10], [0x0000_0001, 0x30, 0x0800_0001, 0x1]],
};

impl Registers {
    fn processor(self) -> Processor {
        Processor::read(move |leaf, subleaf| self.cpuid(leaf, subleaf))
    }

    fn cpuid(self, leaf: u32, subleaf: u32) -> CpuIdResult {
        let [eax, ebx, ecx, edx] = match (leaf, subleaf) {
            (0, _) => [0x1b, self.vendor[0], self.vendor[2], self.vendor[1]],
            (1, _) => [0, 0, self.hypervisor, 0],
            (7, 0) => [0, self.leaf_7.0, self.leaf_7.1, 0],
            (0x12, 0) => [self.sgx_leaves, 0, 0, 0],
            (0x12, 1) => [self.flags, 0, 0, 0],
            (0x12, section) => {
                self.epc.get(section.abs_diff(2) as usize).copied().unwrap_or_default()
            }
            _ => [0; 4],
        };
        CpuIdResult { eax, ebx, ecx, edx }
    }
}

/// A server with two sockets.
pub(super) fn server() -> Processor {
    SERVER.processor()
}

/// SGX is there, and the firmware leaves it off.
pub(super) fn off_in_firmware() -> Processor {
    Registers { sgx_leaves: 0, flags: 0, epc: &[], ..SERVER }.processor()
}

/// A virtual machine with the instructions only.
pub(super) fn virtual_machine_without_epc() -> Processor {
    let hypervisor = HYPERVISOR;
    Registers { hypervisor, leaf_7: (SGX, 0), flags: NO_KEYS, epc: &[], ..SERVER }.processor()
}

/// A desktop of the first years of SGX, with 93.5 MiB of EPC.
pub(super) fn desktop_without_flc() -> Processor {
    let epc = &[[0x7020_0001, 0, 0x05d8_0001, 0]];
    Registers { leaf_7: (SGX, 0), sgx_leaves: SGX1, flags: NO_KSS, epc, ..SERVER }.processor()
}

/// Another maker's processor.
pub(super) fn amd() -> Processor {
    Registers { vendor: AMD, leaf_7: (0, 0), sgx_leaves: 0, flags: 0, epc: &[], ..SERVER }
        .processor()
}

/// A processor with the first leaf only.
pub(super) fn no_leaves() -> Processor {
    let zeros = CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    Processor::read(move |_, _| zeros)
}

/// A hypervisor that reports one EPC section after the other.
pub(super) fn endless_epc() -> Processor {
    Processor::read(|leaf, subleaf| match (leaf, subleaf) {
        (0x12, 2..) => CpuIdResult { eax: 1, ebx: 0, ecx: 0x10_0001, edx: 0 },
        _ => SERVER.cpuid(leaf, subleaf),
    })
}

pub(super) fn processors() -> Vec<Processor> {
    vec![
        server(),
        off_in_firmware(),
        virtual_machine_without_epc(),
        desktop_without_flc(),
        amd(),
        no_leaves(),
        endless_epc(),
    ]
}

/// A software platform created now.
pub(super) fn software_platform() -> SoftwarePlatform {
    let now = OffsetDateTime::now_utc();
    let deployment = Deployment::generate(SubjectNames::Software, now).expect("it can be made");
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes([7; 32])).expect("it can be made")
}

/// The finding with this name.
#[track_caller]
pub(super) fn by_name(findings: &[Finding], name: &str) -> Finding {
    findings.iter().find(|finding| finding.name == name).expect("it is among them").clone()
}

pub(super) fn statuses(findings: &[Finding]) -> impl Iterator<Item = Status> {
    findings.iter().map(|finding| finding.status)
}
