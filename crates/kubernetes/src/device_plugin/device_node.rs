//! The device nodes of SGX.

/// Vendor and class of our devices in the Container Device Interface (CDI).
pub(crate) const CDI_KIND: &str = "sgx-quote-helper/sgx";

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

    /// Its name among devices of [`CDI_KIND`].
    pub(crate) fn cdi_name(self) -> &'static str {
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
