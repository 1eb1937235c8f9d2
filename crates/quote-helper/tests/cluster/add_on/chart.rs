//! The add-on as a release of the Helm chart.

mod release;
mod root;
mod webhook;

use std::time::Instant;

use self::release::{Release, chart, helm, left_behind};
use super::clients::requests_during;
use super::{
    AddOn, NAMESPACE, fails, image, list, next_image, quote_helper, quote_service_pod, succeeds,
};
use crate::EPC;
use crate::cluster::{capacity, eventually, node_name};

/// The images of all running pods of the add-on.
fn images() -> Vec<String> {
    let pods = list("pods", NAMESPACE).into_iter();
    let running = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let image = |pod: serde_json::Value| pod["spec"]["containers"][0]["image"].to_string();
    let mut images: Vec<_> = running.map(image).collect();
    images.dedup();
    images
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn no_quote_of_an_unmodified_client_fails_during_upgrade_and_rollback() {
    // Nodes are updated one after another.
    let only = format!("nodeSelector.kubernetes\\.io/hostname={}", node_name());
    let release = Release::install(&["--set=enableSgxquotehelper=true", "--set", &only]);
    quote_service_pod();
    let begin = Instant::now();
    let requests = requests_during(|| {
        release.upgrade(&["--set=image=", &next_image()].concat());
        assert_eq!(images(), [format!("{:?}", next_image())]);
        succeeds(&helm(&["rollback", "sgx", "--wait", "--timeout=3m"]));
        assert_eq!(images(), [format!("{:?}", image())]);
    });
    eprintln!(
        "helm upgrade and rollback in {:?}: {} quotes, {} failed, the longest in {:?}",
        begin.elapsed(),
        requests.made,
        requests.failures.len(),
        requests.longest
    );
    assert!(requests.failures.is_empty(), "{:?}", requests.failures);
    assert!(requests.made > 100, "{}", requests.made);
    release.uninstall();
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn uninstall_leaves_nothing_behind() {
    let release = Release::install(&["--set=enableSgxquotehelper=true,enablePccs=true"]);
    quote_service_pod();
    assert!(capacity(EPC).is_some());
    succeeds(&quote_helper(&["check"]));
    release.uninstall();
    eventually("nothing is left", || left_behind().is_empty().then_some(()));
    assert_eq!(capacity(EPC), None);
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn helm_and_install_refuse_what_the_other_has_installed() {
    let add_on = AddOn::install(&[]);
    let refused = helm(&chart("install", &[]));
    fails(&refused, 1, &["`quote-helper install` has installed the add-on", "uninstall"]);
    add_on.uninstall();

    let _release = Release::install(&[]);
    for command in [&["install", "--platform=software"][..], &["upgrade"], &["uninstall"]] {
        let refused = quote_helper(command);
        fails(
            &refused,
            1,
            &["Helm has installed the add-on, as the release sgx", "helm uninstall"],
        );
    }
}
