//! The plugin's node: device nodes, and the quote service's directory.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use tempfile::TempDir;

use super::plugin::Plugin;

/// Stands in for `/dev/sgx_enclave`: the device of FUSE, which does nothing when it is opened, and
/// which containers may not open unless they are allowed to.
pub(crate) const ENCLAVE_DEVICE: (u32, u32) = (10, 229);
/// Stands in for `/dev/sgx_provision`: `/dev/zero`.
pub(crate) const PROVISION_DEVICE: (u32, u32) = (1, 5);

/// Separate node directories for each test.
pub(crate) struct Host(TempDir);

impl Host {
    /// With both device nodes, and an empty directory for the quote service's socket.
    pub(crate) fn new() -> Self {
        let host = Self::without_sgx();
        host.add_enclave_device();
        make_device(&host.device_dir().join("sgx_provision"), PROVISION_DEVICE);
        host
    }

    /// Without device nodes.
    pub(crate) fn without_sgx() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        fs::create_dir(host.device_dir()).unwrap();
        fs::create_dir(host.aesm_dir()).unwrap();
        host
    }

    pub(crate) fn device_dir(&self) -> PathBuf {
        self.path("dev")
    }

    pub(crate) fn aesm_dir(&self) -> PathBuf {
        self.path("aesmd")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn add_enclave_device(&self) {
        make_device(&self.device_dir().join("sgx_enclave"), ENCLAVE_DEVICE);
    }

    pub(crate) fn remove_enclave_device(&self) {
        fs::remove_file(self.device_dir().join("sgx_enclave")).unwrap();
    }

    /// A ready plugin with these arguments, separated by spaces.
    #[track_caller]
    pub(crate) fn plugin(&self, arguments: &str) -> Plugin {
        Plugin::start(self, arguments)
    }
}

fn make_device(path: &Path, (major, minor): (u32, u32)) {
    let (kind, mode) = (FileType::CharacterDevice, Mode::from_raw_mode(0o666));
    mknodat(CWD, path, kind, mode, makedev(major, minor)).expect("root may make device nodes");
    rustix::fs::chmod(path, mode).unwrap();
}
