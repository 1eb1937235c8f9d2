//! The whole suite, over the other Quoters that a service may have.

use std::path::{Path, PathBuf};
use std::process::Command;

use software_platform::SoftwarePlatform;

/// The environment variable that names the Quoter of ordinary services: none is the software
/// platform in the service's own process.
pub(crate) const QUOTER: &str = "SUITE_QUOTER";

/// The environment variable that names the library to quote with.
pub(crate) const LIBRARY: &str = "SUITE_LIBRARY";

#[test]
fn the_suite_passes_over_workers() {
    passes(suite("workers", &[]));
}

/// Our own library stands in for Intel's: the same functions, on the software platform.
#[test]
fn the_suite_passes_over_a_quote_generation_library() {
    // The functions of libsgx_dcap_ql know no QE report info, for which Intel's library has others
    // beside, and these tests ask for it.
    let excluded = [
        "fortanix_client::it_lists_the_key_and_gets_a_quote_with_proof",
        "protocol::a_refused_quote_echoes_the_qe_report_info",
        "quoters::the_aesm_quoter_behaves",
        "recorded_clients::fortanix",
        "recorded_clients::intel_libsgx_quote_ex",
    ];
    let state_dir = tempfile::tempdir().unwrap();
    SoftwarePlatform::init(state_dir.path(), crate::support::deployment()).unwrap();
    let mut suite = suite("dcap", &excluded);
    suite.env(LIBRARY, our_library());
    suite.env(quoting::QUOTE_HELPER_PLATFORM, "software");
    suite.env("QUOTE_HELPER_STATE_DIR", state_dir.path());
    passes(suite);
}

/// This test program, with another Quoter.
fn suite(quoter: &str, excluded: &[&str]) -> Command {
    let mut suite = Command::new(std::env::current_exe().unwrap());
    suite.env(QUOTER, quoter).env_remove(quoting::SGX_AESM_ADDR).args(["--skip", "every_quoter::"]);
    // These have Quoters of their own.
    suite.args(["--skip", "workers::"]);
    suite.args(excluded.iter().flat_map(|test| ["--skip", test]));
    suite
}

fn passes(mut suite: Command) {
    let output = suite.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(!printed.contains(" 0 passed"), "{printed}");
}

/// Builds our `libsgx_dcap_ql` and says where it is.
fn our_library() -> PathBuf {
    let arguments = ["build", "--offline", "--package", "libsgx-dcap-ql", "--message-format=json"];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let path = messages.split('"').rfind(|text| text.ends_with("libsgx_dcap_ql.so"));
    Path::new(path.expect("cargo says where the library is")).to_owned()
}
