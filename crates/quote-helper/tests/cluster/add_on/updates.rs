//! Applications that want quotes while the add-on is replaced.

use serde_json::{Value, json};

use super::job::{Job, sample};
use super::{AddOn, IMAGE, NAMESPACE, NEXT_IMAGE, list, quote_helper, quote_service_pod, succeeds};
use crate::cluster::{kubectl, restart_kubelet};

/// Attests for longer than all of it takes.
const LASTING: &str = "60s";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the number is what is to be known")]
fn a_job_quotes_in_a_loop_while_everything_is_replaced() {
    let _add_on = AddOn::install_with_quote_service();
    let job = Job::create(&lasting_job());
    job.says("bob", "trusted");

    let pod = quote_service_pod();
    let name = pod["metadata"]["name"].as_str().unwrap();
    kubectl(&["delete", "pod", name, "-n", NAMESPACE], "");
    let next = quote_service_pod();
    assert_ne!(next["metadata"]["name"], name);

    restart_kubelet();
    quote_service_pod();

    let upgraded = succeeds(&quote_helper(&["upgrade", "--image", NEXT_IMAGE]));
    assert!(upgraded.contains("changed"), "{upgraded}");
    for pod in list("pods", NAMESPACE) {
        let image = &pod["spec"]["containers"][0]["image"];
        let is_deleted = !pod["metadata"]["deletionTimestamp"].is_null();
        assert!(is_deleted || image == NEXT_IMAGE, "{image}, not {IMAGE}, after the upgrade");
    }

    assert!(job.is_active(), "it has to last longer than all of this: {}", job.log("bob"));
    job.ends();
    let log = job.log("bob");
    let tally = log.lines().find(|line| line.starts_with("quotes: ")).expect(&log);
    let made: u64 = tally.split(&[' ', ','][..]).nth(1).unwrap().parse().unwrap();
    assert!(made > 100, "{tally}");
    eprintln!("while pod, kubelet and image were replaced: {tally}");
}

/// The sample, in a loop.
fn lasting_job() -> Value {
    let mut job = sample("remote-attestation-job.yaml");
    let bob = &mut job["spec"]["template"]["spec"]["containers"][1];
    assert_eq!(bob["name"], "bob");
    bob["args"].as_array_mut().unwrap().extend([json!("--for"), json!(LASTING)]);
    job
}
