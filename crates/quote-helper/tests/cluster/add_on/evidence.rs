//! Evidence, exported from the cluster for verifiers outside.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::{NAMESPACE, succeeds};
use crate::cluster::kubectl;

/// The root of the cluster's software platform, and its collateral, in files.
pub(super) struct Evidence(TempDir);

impl Evidence {
    #[track_caller]
    pub(super) fn export() -> Self {
        let evidence = Self(tempfile::tempdir().unwrap());
        let root = r"-o=jsonpath={.data.trusted-root\.pem}";
        let root = kubectl(&["get", "configmap", "sgx-verification", root], "");
        std::fs::write(evidence.path("root.pem"), root).unwrap();

        let deployment = r"-o=jsonpath={.data.deployment\.json}";
        let get = ["get", "secret", "sgx-software-platform", "-n", NAMESPACE, deployment];
        let deployment = STANDARD.decode(kubectl(&get, "")).unwrap();
        std::fs::write(evidence.path("deployment.json"), deployment).unwrap();
        evidence.run("platform init --state-dir state --deployment deployment.json");
        evidence.run("platform collateral --state-dir state --out collateral.json");
        evidence
    }

    /// Checks that a quote in base64 is trusted.
    #[track_caller]
    pub(super) fn verifies(&self, quote: &str) {
        std::fs::write(self.path("quote.bin"), STANDARD.decode(quote).unwrap()).unwrap();
        self.run("verify quote.bin --trusted-root root.pem --collateral collateral.json");
    }

    #[track_caller]
    fn run(&self, line: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).env_clear();
        succeeds(&command.output().unwrap());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
