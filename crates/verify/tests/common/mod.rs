//! Material for the tests: public production quotes, and a platform under a root of its own.

#![allow(dead_code, reason = "no test needs all of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test that stumbles is a test that fails"
)]

pub(crate) mod platform;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sgx::Collateral;
use verify::{Decision, Outcome, Policy, Step, TcbStatus, TrustedRoots, Verdict, verify};

/// 2025-06-25T00:00:00Z, when the sample's collateral was valid.
pub(crate) const SAMPLE_TIME: u64 = 1_750_809_600;

/// A quote of a production platform, and its collateral.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) quote: Vec<u8>,
    pub(crate) collateral: Collateral,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let directory = dcap_qvl_package().join("sample");
    let collateral = std::fs::read(directory.join("sgx_quote_collateral.json")).unwrap();
    Sample {
        quote: std::fs::read(directory.join("sgx_quote")).unwrap(),
        collateral: serde_json::from_slice(&collateral).unwrap(),
    }
});

/// The public sample that comes with the package of dcap-qvl.
pub(crate) fn sample() -> Sample {
    SAMPLE.clone()
}

/// Where cargo keeps the source of dcap-qvl. Offline, it needs the workspace's packages for this
/// target to be there, as they are after `cargo fetch` or a build of the whole workspace.
pub(crate) fn dcap_qvl_package() -> PathBuf {
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

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Accepts whatever the evidence proves.
pub(crate) fn lenient() -> Policy {
    Policy {
        allow_debug: true,
        accepted_tcb_statuses: TcbStatus::ALL.to_vec(),
        ..Policy::default()
    }
}

/// The sample under Intel's root at its time, with the lenient policy.
pub(crate) fn verify_sample(sample: &Sample) -> Verdict {
    let Sample { quote, collateral } = sample;
    verify(quote, collateral, &TrustedRoots::intel(), at(SAMPLE_TIME), &lenient())
}

/// Checks decision and failed step, and that the steps around it say the right thing.
#[track_caller]
pub(crate) fn assert_fails(verdict: &Verdict, decision: Decision, failed: Step) {
    assert_eq!(verdict.decision, decision, "{verdict}");
    assert!(verdict.attested.is_none() && verdict.trusted().is_none(), "{verdict}");
    for result in &verdict.steps {
        let right = match &result.outcome {
            Outcome::Passed => result.step < failed,
            Outcome::Failed(reason) => {
                result.step == failed && verdict.reason.as_ref() == Some(reason)
            }
            Outcome::NotReached => result.step > failed,
        };
        assert!(right, "expected to fail at {failed:?}:\n{verdict}");
    }
}
