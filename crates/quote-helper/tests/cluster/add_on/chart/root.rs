//! The root of the software platform.

use super::release::Release;
use crate::add_on::job::Job;
use crate::add_on::{NAMESPACE, next_image};
use crate::cluster::kubectl;

fn root() -> String {
    let get = ["get", "secret", "sgx-software-platform", "-n", NAMESPACE];
    kubectl(&[&get[..], &["-o=jsonpath={.data}"]].concat(), "")
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn root_is_created_kept_and_known_to_verifiers() {
    let release = Release::install(&["--set=enableSgxquotehelper=true"]);
    let created = root();
    assert!(created.contains("deployment.json") && created.contains("root.pem"));
    let job = Job::of_sample("remote-attestation-job.yaml");
    job.completes();
    release.upgrade(&format!("--set=image={}", next_image()));
    assert_eq!(root(), created);
}
