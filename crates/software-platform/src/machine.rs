//! One machine: its microcode, its secret, and the two enclaves of the platform.

use sgx::{CpuSvn, U16};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::identities::{FMSPC, PCE_ID, PCE_SVN, QE_SVN, quoting_enclave_identity};
use crate::provisioning_certification_enclave::ProvisioningCertificationEnclave;
use crate::{EgetkeyError, MachineSecret, Microcode, PckSubject, SoftwareEnclave};

/// One machine: its microcode, its secret, and the two enclaves of the platform.
pub(crate) struct Machine {
    pub(crate) microcode: Microcode,
    pub(crate) secret: MachineSecret,
    /// The Quoting Enclave; its functions are in other modules.
    pub(crate) qe: SoftwareEnclave,
    pub(crate) pce: ProvisioningCertificationEnclave,
}

impl Machine {
    pub(crate) fn new(microcode: Microcode, secret: MachineSecret) -> Result<Self, EgetkeyError> {
        let qe = SoftwareEnclave::new(quoting_enclave_identity());
        let pce = ProvisioningCertificationEnclave::new(microcode, &secret)?;
        Ok(Self { microcode, secret, qe, pce })
    }

    /// The security versions of the attestation key.
    pub(crate) fn tcb(&self) -> AttestationTcb {
        let (qe_svn, pce_svn) = (U16::new(QE_SVN), U16::new(PCE_SVN));
        AttestationTcb { cpu_svn: self.microcode.cpu_svn(), qe_svn, pce_svn }
    }

    /// The contents of the PCK certificate of this machine.
    pub(crate) fn pck_subject(&self) -> PckSubject {
        PckSubject {
            ppid: self.pce.ppid(),
            cpu_svn: self.microcode.cpu_svn(),
            pce_svn: PCE_SVN,
            pce_id: PCE_ID,
            fmspc: FMSPC,
            platform_instance_id: *self.secret.derive_16("platform instance id", &[]),
        }
    }
}

/// The security versions of an attestation key, 20 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub(crate) struct AttestationTcb {
    /// The CPUSVN in the PCK certificate.
    pub(crate) cpu_svn: CpuSvn,
    pub(crate) qe_svn: U16,
    pub(crate) pce_svn: U16,
}
