//! The chart as a package.

use crate::helm::{CHART, helm};

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn lint_finds_no_fault() {
    for values in ["{}", r#"{ "enableSgxquotehelper": true, "platform": "software" }"#] {
        let output = helm(&["lint", "--strict", CHART, "--values=-"], values);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(!text.contains("[WARNING]"), "{text}");
    }
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn package_has_the_version_of_the_program_and_can_be_installed() {
    let directory = tempfile::tempdir().unwrap();
    let destination = format!("--destination={}", directory.path().display());
    assert!(helm(&["package", CHART, &destination], "").status.success());
    let version = env!("CARGO_PKG_VERSION");
    let package = directory.path().join(format!("sgx-quote-helper-{version}.tgz"));
    let output = helm(&["template", "release", package.to_str().unwrap()], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("image: \"sgx-quote-helper-sgx:{version}\"")), "{text}");
}
