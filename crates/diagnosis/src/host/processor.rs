//! SGX features of the processor, from CPUID (SDM 3D, 37.7.2; SDM 2A, CPUID, leaves 7 and 0x12).

use kubernetes::device_plugin::epc_sections;
use raw_cpuid::{CpuId, CpuIdReader, CpuIdReaderNative, SgxInfo};
use sgx::Attributes;

use crate::finding::Finding;

/// The fix for findings that matter only where enclaves run.
pub(crate) const SEE_PROCESSOR: &str =
    "nothing, for quotes of the software platform; for real ones see `processor`";

#[derive(Debug, Clone)]
pub(crate) struct Processor {
    vendor: String,
    /// True in a virtual machine, whose hypervisor controls CPUID.
    is_virtual: bool,
    /// The processor has SGX, but the firmware may have turned it off.
    pub(crate) has_sgx: bool,
    /// SGX is turned on.
    has_sgx1: bool,
    has_sgx2: bool,
    /// Flexible launch control (SGX_LC).
    pub(crate) has_flc: bool,
    /// The ATTRIBUTES flags that enclaves may have.
    allowed_flags: u64,
    /// Sizes of the EPC sections in bytes.
    epc: Vec<u64>,
}

impl Processor {
    pub(crate) fn gather() -> Self {
        Self::read(CpuIdReaderNative)
    }

    pub(crate) fn read(cpuid: impl CpuIdReader) -> Self {
        let epc = epc_sections(cpuid.clone()).collect();
        let cpuid = CpuId::with_cpuid_reader(cpuid);
        let features = cpuid.get_extended_feature_info();
        let sgx = cpuid.get_sgx_info();
        Self {
            vendor: cpuid.get_vendor_info().map_or_else(String::new, |v| v.as_str().to_owned()),
            is_virtual: cpuid.get_feature_info().is_some_and(|info| info.has_hypervisor()),
            has_sgx: sgx.is_some(),
            has_sgx1: sgx.as_ref().is_some_and(SgxInfo::has_sgx1),
            has_sgx2: sgx.as_ref().is_some_and(SgxInfo::has_sgx2),
            has_flc: features.is_some_and(|features| features.has_sgx_lc()),
            allowed_flags: sgx.as_ref().map_or(0, |sgx| sgx.secs_attributes().0),
            epc,
        }
    }

    /// True if SGX is turned on and has memory.
    pub(crate) fn runs_enclaves(&self) -> bool {
        self.has_sgx1 && !self.epc.is_empty()
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = vec![self.sgx()];
        let others = [
            ("epc", Self::epc as fn(&Self) -> Finding),
            ("flc", Self::flc),
            ("provision-key", Self::provision_key),
            ("sgx2", Self::sgx2),
            ("kss", Self::kss),
        ];
        findings.extend(others.map(|(name, finding)| match self.has_sgx1 {
            true => finding(self),
            false => Finding::skipped(name, "does not matter without SGX", "see `sgx`"),
        }));
        findings
    }

    fn sgx(&self) -> Finding {
        let name = "sgx";
        if self.has_sgx1 {
            return Finding::ok(name, format!("this processor ({}) has SGX", self.vendor));
        }
        if self.has_sgx {
            return Finding::failed(
                name,
                "this processor has SGX, but it is turned off",
                self.advice(
                    "set SGX to \"Enabled\" in the firmware (not to \"Software Enabled\"), and \
                     reboot",
                    "turn SGX on in the firmware of the host, and give this virtual machine the \
                     CPU feature sgx1 and EPC",
                ),
            );
        }
        Finding::warning(
            name,
            format!(
                "this processor ({}) shows no SGX: only the software platform can quote here",
                self.vendor
            ),
            self.advice(
                "for real quotes take a machine with SGX; if this one has it, set it to \
                 \"Enabled\" in the firmware",
                "for real quotes take a virtual machine with SGX (Azure: the sizes DCsv3 and \
                 DCdsv3; QEMU: -cpu host and EPC, see memory-backend-epc)",
            ),
        )
    }

    fn epc(&self) -> Finding {
        let sizes: Vec<String> = self.epc.iter().map(|size| mebibytes(*size)).collect();
        if !sizes.is_empty() {
            return Finding::ok("epc", format!("enclave memory (EPC): {}", sizes.join(" + ")));
        }
        Finding::failed(
            "epc",
            "there is no enclave memory (EPC)",
            self.advice(
                "give SGX memory in the firmware (\"PRMRR size\" or \"SGX reserved memory\"), and \
                 reboot; on servers SGX also wants memory encryption (TME) and all memory channels \
                 filled as the manual says",
                "give this virtual machine EPC; for QEMU -object \
                 memory-backend-epc,id=epc0,size=64M,prealloc=on -M \
                 sgx-epc.0.memdev=epc0,sgx-epc.0.node=0",
            ),
        )
    }

    fn flc(&self) -> Finding {
        if self.has_flc {
            return Finding::ok("flc", "flexible launch control (FLC)");
        }
        Finding::failed(
            "flc",
            "there is no flexible launch control (FLC), which the driver of Linux and DCAP need",
            self.advice(
                "unlock \"SGX launch control\" in the firmware; where there is no such setting the \
                 processor is too old for DCAP: take another machine",
                "give this virtual machine the CPU feature sgxlc (QEMU: -cpu host,+sgxlc)",
            ),
        )
    }

    fn provision_key(&self) -> Finding {
        if self.allows(Attributes::PROVISION_KEY) {
            return Finding::ok("provision-key", "enclaves may get the provisioning key");
        }
        Finding::failed(
            "provision-key",
            "no enclave may get the provisioning key, which the PCE needs",
            self.advice(
                "update the firmware",
                "give this virtual machine the CPU feature sgx-provisionkey (QEMU: -cpu \
                 host,+sgx-provisionkey)",
            ),
        )
    }

    fn sgx2(&self) -> Finding {
        if self.has_sgx2 {
            return Finding::ok("sgx2", "enclaves can change their memory as they run (SGX2)");
        }
        Finding::warning(
            "sgx2",
            "enclaves that change their memory as they run (SGX2, EDMM) do not work here; quoting \
             does",
            self.advice(
                "take a processor with SGX2 for such enclaves",
                "give this virtual machine the CPU feature sgx2 for such enclaves",
            ),
        )
    }

    fn kss(&self) -> Finding {
        if self.allows(Attributes::KSS) {
            return Finding::ok("kss", "key separation and sharing (KSS)");
        }
        Finding::warning(
            "kss",
            "enclaves that ask for key separation and sharing (KSS) do not start here; quoting \
             works",
            self.advice(
                "take a processor with KSS for such enclaves",
                "give this virtual machine the CPU feature sgx-kss for such enclaves",
            ),
        )
    }

    fn allows(&self, flag: u64) -> bool {
        self.allowed_flags & flag != 0
    }

    fn advice(
        &self,
        to_bare_metal: &'static str,
        to_virtual_machine: &'static str,
    ) -> &'static str {
        if self.is_virtual { to_virtual_machine } else { to_bare_metal }
    }
}

/// A size in MiB, for people.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use crate::finding::Status;
    use crate::fixtures::{self, by_name, statuses};

    #[test]
    fn a_server_has_everything() {
        let server = fixtures::server();
        assert!(server.runs_enclaves() && server.has_sgx && server.has_flc);
        for finding in server.findings() {
            assert_eq!(finding.status, Status::Ok, "{finding:?}");
        }
        let epc = by_name(&server.findings(), "epc");
        assert_eq!(epc.detail, "enclave memory (EPC): 65536 MiB + 4224 MiB");
    }

    #[test]
    fn without_sgx_there_is_one_warning() {
        for machine in [fixtures::amd(), fixtures::no_leaves()] {
            let findings = machine.findings();
            assert!(!machine.runs_enclaves() && !machine.has_sgx);
            assert_eq!(by_name(&findings, "sgx").status, Status::Warning);
            assert!(statuses(&findings).skip(1).all(|status| status == Status::Skipped));
        }
    }

    #[test]
    fn sgx_off_in_firmware_differs_from_no_sgx() {
        let machine = fixtures::off_in_firmware();
        assert!(machine.has_sgx && !machine.runs_enclaves());
        let sgx = by_name(&machine.findings(), "sgx");
        assert_eq!(sgx.status, Status::Failed);
        assert!(sgx.fix.unwrap().contains("firmware"));
    }

    #[test]
    fn a_virtual_machine_without_epc_has_fixes_for_its_hypervisor() {
        let machine = fixtures::virtual_machine_without_epc();
        let findings = machine.findings();
        assert!(!machine.runs_enclaves());
        for (name, fix) in [
            ("epc", "memory-backend-epc"),
            ("flc", "+sgxlc"),
            ("provision-key", "+sgx-provisionkey"),
        ] {
            let finding = by_name(&findings, name);
            assert_eq!(finding.status, Status::Failed, "{name}");
            assert!(finding.fix.unwrap().contains(fix), "{name}");
        }
    }

    #[test]
    fn an_old_desktop_quotes_no_dcap() {
        let findings = fixtures::desktop_without_flc().findings();
        assert_eq!(by_name(&findings, "flc").status, Status::Failed);
        assert_eq!(by_name(&findings, "sgx2").status, Status::Warning);
        assert_eq!(by_name(&findings, "kss").status, Status::Warning);
        assert_eq!(by_name(&findings, "epc").detail, "enclave memory (EPC): 93 MiB");
    }
}
