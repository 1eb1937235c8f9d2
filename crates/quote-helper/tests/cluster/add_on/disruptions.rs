//! Disruptions of a cluster's daily life: quotes go on, or come back in seconds.

#![allow(clippy::print_stderr, reason = "the tests also measure")]

use std::time::{Duration, Instant};

use super::job::Job;
use super::updates::{lasting_job, tally_of};
use super::{AddOn, quote_service_pod};
use crate::cluster::{eventually, kubectl};
use crate::node::{on_node, restart, shell};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_first_verified_quote_is_soon_after_install() {
    let begin = Instant::now();
    let _add_on = AddOn::install_with_quote_service();
    let installed = begin.elapsed();
    Job::of_sample("remote-attestation-job.yaml").completes();
    let verified = begin.elapsed();
    eprintln!("installed after {installed:.1?}, first verified quotes after {verified:.1?}");
    assert!(verified < Duration::from_secs(15), "{verified:?}");
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn after_all_containers_were_killed_quotes_are_back_within_five_seconds() {
    let _add_on = AddOn::install_with_quote_service();
    quote_service_pod();
    eventually("a quote", || gets_quote().then_some(()));
    let kill =
        r#"[ "$(readlink "$process/exe")" != /usr/bin/quote-helper ] || kill -9 ${process#/proc/}"#;
    shell(&format!("for process in /proc/[0-9]*; do {kill}; done"));
    let begin = Instant::now();
    eventually("a quote", || gets_quote().then_some(()));
    eprintln!("the first quote after {:.1?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn quotes_go_on_without_the_api_server() {
    let _add_on = AddOn::install_with_quote_service();
    eventually("a quote", || gets_quote().then_some(()));
    shell("kill -KILL $(cat /run/test-cluster/programs/kube-apiserver.pid)");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        assert!(gets_quote());
    }
    restart("kube-apiserver");
    quote_service_pod();
    assert!(gets_quote());
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_node_is_drained_while_others_get_quotes() {
    let _add_on = AddOn::install_with_quote_service();
    let mut job = lasting_job("30s");
    job["spec"]["template"]["spec"]["nodeName"] = "node-1".into();
    let job = Job::create(&job);
    job.says("bob", "trusted");
    let drain = ["drain", "node-2", "--ignore-daemonsets", "--delete-emptydir-data", "--force"];
    kubectl(&[&drain[..], &["--timeout=30s"]].concat(), "");
    kubectl(&["uncordon", "node-2"], "");
    let tally = tally_of(&job);
    assert!(tally.failed == 0 && tally.made > 0, "{tally:?}");
}

/// True if a client on the node gets a quote from the add-on's service.
fn gets_quote() -> bool {
    let program = env!("CARGO_BIN_EXE_quote-helper");
    let quote = [program, "quote", "--report-data=07", "--out=/run/quote.bin"];
    on_node().args(["env", "SGX_AESM_ADDR=1"]).args(quote).output().unwrap().status.success()
}
