//! Applications that get their quotes from the add-on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::evidence::Evidence;
use super::job::Job;
use super::{AddOn, image, quote_helper, succeeds};
use crate::EPC;
use crate::cluster::{eventually, kubectl};
use crate::pod::Pod;

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn enclaves_attest_each_other_with_any_opt_in() {
    let before = objects();
    let add_on = AddOn::install_with_quote_service();
    let again = ["install", "--platform=software", "--enable-sgxquotehelper", "--output=json"];
    let again = quote_helper(&[&again[..], &["--image", &image()]].concat());
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    for object in again.as_array().unwrap() {
        assert_eq!(object["outcome"], "unchanged", "{object}");
    }

    let evidence = Evidence::export();
    for sample in [
        "remote-attestation-job.yaml",
        "remote-attestation-host-path-job.yaml",
        "remote-attestation-annotation-job.yaml",
    ] {
        let job = Job::of_sample(sample);
        assert!(!job.said.contains("Warning"), "{}", job.said);
        job.completes();
        for container in ["alice", "bob"] {
            evidence.verifies(&job.quote(container));
        }
    }
    Job::of_sample("remote-attestation-in-process-job.yaml").completes();

    Pod::create(&[(EPC, 1000)]).lacks(EPC).ends();
    let checked = succeeds(&quote_helper(&["check", "--cluster", "-v"]));
    assert!(checked.contains("failed: 0"), "{checked}");

    add_on.uninstall();
    assert_eq!(objects(), before);
    assert!(succeeds(&quote_helper(&["uninstall"])).contains("nothing"));
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn applications_survive_the_removal() {
    let add_on = AddOn::install_with_quote_service();
    let pod = Pod::create(&[(EPC, 10)]).runs();
    let container = pod.container_id();
    add_on.uninstall();
    assert_eq!(pod.container_id(), container);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn without_the_webhook_only_pods_with_epc_wait_for_it() {
    let _add_on = AddOn::install(&["--enable-sgxquotehelper", "--injection=webhook"]);
    let scale = ["scale", "deployment/sgx-webhook", "-n=sgx-quote-helper"];
    kubectl(&[&scale[..], &["--replicas=0"]].concat(), "");
    // The kubelet removes their objects later.
    eventually("the webhook has no endpoints", || {
        let addresses = "-o=jsonpath={.subsets[*].addresses}";
        let endpoints = ["get", "endpoints", "sgx-webhook", "-n=sgx-quote-helper", addresses];
        kubectl(&endpoints, "").is_empty().then_some(())
    });
    Pod::create(&[]).runs();
    // The Job's controller tries again.
    let job = Job::of_sample("remote-attestation-annotation-job.yaml");
    eventually("the API server refuses the Job's pod", || {
        let failed = ["get", "events", "--field-selector=reason=FailedCreate", "-o=yaml"];
        kubectl(&failed, "").contains("failed calling webhook").then_some(())
    });
    kubectl(&[&scale[..], &["--replicas=2"]].concat(), "");
    job.completes();
}

/// All objects of the cluster by kind, namespace and name, except transient ones.
fn objects() -> BTreeSet<String> {
    let kinds = kubectl(&["api-resources", "--verbs=list", "-o=name"], "");
    let passing = |kind: &&str| kind.starts_with("events") || kind.starts_with("componentstatuses");
    let kinds: Vec<_> = kinds.lines().filter(|kind| !passing(kind)).collect();
    let columns = "-o=custom-columns=:.kind,:.metadata.namespace,:.metadata.name";
    let listed = kubectl(&["get", &kinds.join(","), "-A", columns], "");
    listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
