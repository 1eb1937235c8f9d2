//! The add-on of the release before is upgraded to this version, and downgraded again, by each
//! version's program, under applications that do not retry.

use std::path::{Path, PathBuf};
use std::process::Output;

use super::clients::requests_during;
use super::{AddOn, image, images, program_with, quote_helper, quote_service_pod, root, succeeds};
use crate::cluster::node_name;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn an_upgrade_from_the_release_before_and_back_loses_no_quote() {
    let Some(release) = Release::of_environment() else {
        eprintln!("SKIPPED: the release before is not built");
        return;
    };
    // Nodes are updated one after another.
    let only = format!("kubernetes.io/hostname={}", node_name());
    let install = ["install", "--platform=software", "--enable-sgxquotehelper"];
    let options = ["--node-selector", &only, "--image", &release.image];
    succeeds(&release.run(&[&install[..], &options].concat()));
    let add_on = AddOn;
    quote_service_pod();
    let root = root();
    let requests = requests_during(|| {
        succeeds(&quote_helper(&["upgrade", "--image", &image()]));
        assert_eq!(images(), [image()]);
        succeeds(&quote_helper(&["rollback"]));
        assert_eq!(images(), [&*release.image]);
        succeeds(&quote_helper(&["upgrade", "--image", &image()]));
        succeeds(&release.run(&["upgrade", "--image", &release.image]));
        assert_eq!(images(), [&*release.image]);
    });
    assert_eq!(super::root(), root);
    eprintln!(
        "two upgrades and two downgrades: {} quotes, {} failed, the longest in {:?}",
        requests.made,
        requests.failures.len(),
        requests.longest
    );
    assert!(requests.failures.is_empty(), "{:?}", requests.failures);
    assert!(requests.made > 400, "{}", requests.made);
    add_on.uninstall();
}

/// The release before: its program and its image.
struct Release {
    program: PathBuf,
    image: String,
}

impl Release {
    /// Those of the variables `PREVIOUS_RELEASE`, a directory, and `PREVIOUS_IMAGE`.
    fn of_environment() -> Option<Self> {
        let directory = std::env::var_os("PREVIOUS_RELEASE")?;
        let image = std::env::var("PREVIOUS_IMAGE").ok()?;
        Some(Self { program: Path::new(&directory).join("quote-helper"), image })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let kubeconfig = std::env::var_os("KUBECONFIG").expect("the test cluster's kubeconfig");
        program_with(&self.program, Path::new(&kubeconfig), arguments).output().unwrap()
    }
}
