//! SGX's device nodes.

/// Vendor and class of the devices in the Container Device Interface (CDI).
pub(crate) const CDI_KIND: &str = "sgx-quote-helper/sgx";

/// An SGX device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceNode {
    /// Creates enclaves.
    Enclave,
    /// Gives enclaves access to the provisioning key.
    Provision,
}

impl DeviceNode {
    /// All device nodes.
    pub(crate) const ALL: [Self; 2] = [Self::Enclave, Self::Provision];

    /// The name below [`CDI_KIND`].
    pub(crate) fn cdi_name(self) -> &'static str {
        match self {
            Self::Enclave => "enclave",
            Self::Provision => "provision",
        }
    }

    /// The names below `/dev`: that of Linux 5.11 and later, and that of older drivers and udev
    /// rules. Runtimes look for either.
    pub(crate) fn names(self) -> [&'static str; 2] {
        match self {
            Self::Enclave => ["sgx_enclave", "sgx/enclave"],
            Self::Provision => ["sgx_provision", "sgx/provision"],
        }
    }
}
