//! The quote provider library of the tests: a fake QE in C with faults on demand. The top of
//! `provider.c` lists them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The functions of `libsgx_qe3_logic.so.1`.
pub const CORE: [&str; 4] = [
    "sgx_ql_set_enclave_load_policy",
    "sgx_ql_init_quote",
    "sgx_ql_get_quote_size",
    "sgx_ql_get_quote",
];

/// The functions of `libsgx_dcap_ql.so.1`, in the same order.
pub const WRAPPER: [&str; 4] = [
    "sgx_qe_set_enclave_load_policy",
    "sgx_qe_get_target_info",
    "sgx_qe_get_quote_size",
    "sgx_qe_get_quote",
];

/// A build of the provider, and the file that tells it what to do wrong.
pub struct Provider(TempDir);

impl Provider {
    /// Compiles the provider for one test alone: another build is another library to the dynamic
    /// loader, with a state and a fault of its own.
    pub fn build() -> Self {
        Self::without(&[])
    }

    /// As [`Provider::build`], but these functions are missing.
    pub fn without(functions: &[&str]) -> Self {
        let provider = Self(tempfile::tempdir().unwrap());
        let source = provider.0.path().join("provider.c");
        std::fs::write(&source, include_str!("provider/provider.c")).unwrap();
        std::fs::write(provider.0.path().join("sha256.c"), include_str!("provider/sha256.c"))
            .unwrap();
        compile(
            Command::new("gcc")
                .arg(format!("-DFAULT_FILE=\"{}\"", provider.fault_file().display()))
                .args(functions.iter().map(|name| format!("-D{name}=another_{name}")))
                .args([&source, Path::new("-o"), &provider.library()]),
        );
        provider
    }

    /// Compiles a library that has no function itself and is linked to the provider, as
    /// `libsgx_dcap_ql.so.1` is to `libsgx_qe3_logic.so.1`.
    pub fn linking_library(&self) -> PathBuf {
        let linking = self.0.path().join("liblinking.so");
        compile(
            Command::new("gcc")
                .args(["-x", "c", "/dev/null", "-x", "none", "-Wl,--no-as-needed"])
                .args([&self.library(), Path::new("-o"), &linking]),
        );
        linking
    }

    /// As [`Provider::build`], but with the functions of `libsgx_dcap_ql.so.1` alone.
    pub fn wrapper_only() -> Self {
        Self::without(&CORE)
    }

    /// The library's path.
    pub fn library(&self) -> PathBuf {
        self.0.path().join("libprovider.so")
    }

    /// From now on, in every process, the provider does this: `FUNCTION FAULT [NUMBER]`.
    pub fn fault(&self, line: &str) {
        // By renaming, so that nobody reads half a line.
        let new = self.0.path().join("fault.new");
        std::fs::write(&new, line).unwrap();
        std::fs::rename(&new, self.fault_file()).unwrap();
    }

    /// From now on the provider does nothing wrong.
    pub fn heal(&self) {
        match std::fs::remove_file(self.fault_file()) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }

    fn fault_file(&self) -> PathBuf {
        self.0.path().join("fault")
    }
}

fn compile(gcc: &mut Command) {
    gcc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]);
    let status = gcc.status().expect("gcc is there");
    assert!(status.success(), "gcc: {status}");
}
