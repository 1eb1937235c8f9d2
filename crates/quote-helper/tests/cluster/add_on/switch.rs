//! The switch `--enable-sgxquotehelper`.

use super::job::Job;
use super::{AddOn, NAMESPACE, fails, list, quote_helper, quote_service_pod, succeeds};
use crate::EPC;
use crate::cluster::try_kubectl;
use crate::pod::Pod;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_quote_service_comes_and_goes_with_the_switch() {
    let _add_on = AddOn::install(&[]);
    assert_eq!(daemon_sets(), ["sgx-plugin"]);
    let pod = Pod::create(&[(EPC, 10)]).runs();
    pod.fails("main", "ls /var/run/aesmd", "No such file");
    fails(&quote_helper(&["check", "--cluster", "-v"]), 0, &["--enable-sgxquotehelper"]);
    let said = created_with_annotation();
    assert!(said.contains("Warning") && said.contains("--enable-sgxquotehelper"), "{said}");

    succeeds(&quote_helper(&["upgrade", "--enable-sgxquotehelper"]));
    assert_eq!(daemon_sets(), ["sgx-plugin", "sgx-quote-helper"]);
    quote_service_pod();
    Job::of_sample("remote-attestation-annotation-job.yaml").completes();

    succeeds(&quote_helper(&["upgrade", "--disable-sgxquotehelper"]));
    assert_eq!(daemon_sets(), ["sgx-plugin"]);
}

fn daemon_sets() -> Vec<String> {
    let each = list("daemonsets", NAMESPACE).into_iter();
    each.map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// kubectl's output at the creation of a pod that uses the quote service.
fn created_with_annotation() -> String {
    let pod = format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: add-on-test-annotated
  annotations:
    sgx.intel.com/quote-provider: aesmd
spec:
  containers:
    - name: main
      image: busybox:test-cluster
      resources:
        limits:
          {EPC}: 1
"
    );
    succeeds(&try_kubectl(&["create", "--dry-run=server", "-f=-"], &pod))
}
