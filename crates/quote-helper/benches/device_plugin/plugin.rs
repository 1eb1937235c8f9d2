//! The plugin, as a process of its own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::table::Figure;

/// Killed when dropped.
pub(crate) struct Plugin(Child);

impl Plugin {
    /// Starts a plugin with a MiB of EPC for each of so many devices, and files for device nodes.
    pub(crate) fn start(directory: &Path, devices: usize) -> anyhow::Result<Self> {
        for name in ["sgx_enclave", "sgx_provision"] {
            fs::write(directory.join(name), "")?;
        }
        let child = Command::new(env!("CARGO_BIN_EXE_quote-helper"))
            .args(["device-plugin", "--epc-size", &format!("{devices}MiB")])
            .args(["--epc-accounting", "devices"])
            .arg("--plugin-dir")
            .arg(directory)
            .arg("--device-dir")
            .arg(directory)
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// The memory that it holds.
    pub(crate) fn resident(&self) -> anyhow::Result<Figure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: f64 = kibibytes.context("no VmRSS in the process's status")?.parse()?;
        Ok(Figure::Megabytes(kibibytes / 1024.0))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
