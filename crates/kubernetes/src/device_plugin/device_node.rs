//! The device nodes of SGX.

/// A device node of SGX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceNode {
    /// Makes enclaves.
    Enclave,
    /// Gives enclaves the provisioning key.
    Provision,
}

impl DeviceNode {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Enclave, Self::Provision];

    /// What it is called in the Container Device Interface.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enclave => "enclave",
            Self::Provision => "provision",
        }
    }

    /// Its names below `/dev`: Linux's own (5.11 and later), and that of older drivers and udev rules.
    /// Runtimes look for either.
    pub(crate) fn names(self) -> [&'static str; 2] {
        match self {
            Self::Enclave => ["sgx_enclave", "sgx/enclave"],
            Self::Provision => ["sgx_provision", "sgx/provision"],
        }
    }
}
