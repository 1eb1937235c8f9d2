//! A node: the common directories of kubelet and device plugin.

use std::fs;
use std::path::{Path, PathBuf};

use kubernetes::device_plugin::{Allocator, Epc, EpcAccounting, Offer, Options};

use crate::clock;

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const GIB: u64 = 1 << 30;

pub(crate) const AZURE: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
pub(crate) const ALIYUN: &str = "alibabacloud.com/sgx_epc_MiB";
pub(crate) const INTEL: &str = "sgx.intel.com/epc";
pub(crate) const ENCLAVE: &str = "sgx.intel.com/enclave";
pub(crate) const PROVISION: &str = "sgx.intel.com/provision";

/// The name of the node in the cluster.
pub(crate) const NAME: &str = "node-1";

/// A machine with the in-kernel SGX driver, in a temporary directory.
pub(crate) struct Node {
    directory: tempfile::TempDir,
}

impl Node {
    pub(crate) fn new() -> Self {
        clock::pace();
        let node = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(node.plugin_dir()).unwrap();
        fs::create_dir(node.path("dev")).unwrap();
        fs::write(node.enclave(), "").unwrap();
        fs::write(node.provision(), "").unwrap();
        node
    }

    /// A path on the node.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn plugin_dir(&self) -> PathBuf {
        self.path("device-plugins")
    }

    /// The socket of the plugin for this resource.
    pub(crate) fn socket(&self, resource: &str) -> PathBuf {
        self.plugin_dir().join(resource.replace('/', "_") + ".sock")
    }

    pub(crate) fn pod_resources(&self) -> PathBuf {
        self.path("pod-resources.sock")
    }

    pub(crate) fn enclave(&self) -> PathBuf {
        self.path("dev/sgx_enclave")
    }

    pub(crate) fn provision(&self) -> PathBuf {
        self.path("dev/sgx_provision")
    }

    /// The defaults of the command line, for this node.
    pub(crate) fn options(&self, profile: &str, epc: Epc) -> Options {
        Options {
            offer: Offer {
                shares: profile.parse().unwrap(),
                accounting: EpcAccounting::Devices,
                enclave_limit: 110,
                provision_limit: 1,
                has_device_nodes: true,
            },
            epc,
            allocator: Allocator {
                device_dir: self.path("dev"),
                host_root: "/".into(),
                aesm_dir: Some(PathBuf::from("/var/run/aesmd")),
                cdi_dir: None,
            },
            plugin_dir: self.plugin_dir(),
            node_status: None,
            quote_service: None,
        }
    }

    /// 8 MiB of EPC with the default profile.
    pub(crate) fn azure(&self) -> Options {
        self.options("azure", Epc::of_size(8 * MIB))
    }

    /// The text with `/node` for the node's directory.
    pub(crate) fn anonymous(&self, text: &str) -> String {
        text.replace(self.directory.path().to_str().unwrap(), "/node")
    }

    /// The entries of the plugin directory.
    pub(crate) fn plugin_dir_content(&self) -> Vec<String> {
        names(&self.plugin_dir())
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
