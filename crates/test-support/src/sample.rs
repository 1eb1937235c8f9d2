//! A public production quote, and its collateral.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use sgx::Collateral;

/// 2025-06-25T00:00:00Z, when the sample's collateral was valid.
pub const SAMPLE_TIME: u64 = 1_750_809_600;

/// A quote of a production platform, and its collateral.
#[derive(Clone)]
pub struct Sample {
    /// The quote.
    pub quote: Vec<u8>,
    /// The collateral that verifies it.
    pub collateral: Collateral,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| read("sgx_quote"));
static TDX_SAMPLE: LazyLock<Sample> = LazyLock::new(|| read("tdx_quote"));

/// The public sample that comes with the package of dcap-qvl.
pub fn sample() -> Sample {
    SAMPLE.clone()
}

/// The same of a TD: version 4, TDX 1.0. Its collateral was valid at [`SAMPLE_TIME`], too.
pub fn tdx_sample() -> Sample {
    TDX_SAMPLE.clone()
}

/// The sample of this name.
pub fn read(name: &str) -> Sample {
    let directory = dcap_qvl_package().join("sample");
    let collateral = std::fs::read(directory.join(format!("{name}_collateral.json"))).unwrap();
    Sample {
        quote: std::fs::read(directory.join(name)).unwrap(),
        collateral: serde_json::from_slice(&collateral).unwrap(),
    }
}

/// The directory with the source of dcap-qvl. Offline, it needs the workspace's packages for this
/// target to be there, as they are after `cargo fetch` or a build of the whole workspace.
pub fn dcap_qvl_package() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "run `cargo fetch` first: {errors}");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "dcap-qvl").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}
