//! Applications that request quotes while the add-on is replaced.

use serde_json::{Value, json};

use super::job::{Job, sample};
use super::{AddOn, NAMESPACE, image, list, next_image, quote_helper, quote_service_pod, succeeds};
use crate::cluster::kubectl;
use crate::node::restart;

/// Attests for longer than the update takes.
const LASTING: &str = "60s";

const QUOTE_SERVICE: &str = "sgx-quote-helper";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn quotes_succeed_while_everything_is_replaced() {
    let _add_on = AddOn::install_with_quote_service();
    let job = Job::create(&lasting_job(LASTING));
    job.says("bob", "trusted");

    let pod = quote_service_pod();
    let name = pod["metadata"]["name"].as_str().unwrap();
    kubectl(&["delete", "pod", name, "-n", NAMESPACE], "");
    let next = quote_service_pod();
    assert_ne!(next["metadata"]["name"], name);

    restart("kubelet");
    quote_service_pod();

    let (before, next) = (image(), next_image());
    let upgraded = succeeds(&quote_helper(&["upgrade", "--image", &next]));
    assert!(upgraded.contains("changed"), "{upgraded}");
    for pod in list("pods", NAMESPACE) {
        let image = &pod["spec"]["containers"][0]["image"];
        let is_deleted = !pod["metadata"]["deletionTimestamp"].is_null();
        assert!(is_deleted || *image == next, "{image} instead of {next}, before {before}");
    }

    let tally = tally_of(&job);
    assert!(tally.made > 100, "{tally:?}");
    eprintln!("while pod, kubelet and image were replaced: {tally:?}");
}

/// The quote service's DaemonSet.
pub(super) fn daemon_set() -> Value {
    let get = ["get", "daemonset", QUOTE_SERVICE, "-n", NAMESPACE, "-o=json"];
    serde_json::from_str(&kubectl(&get, "")).unwrap()
}

/// The numbers of an application's quotes and failures.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) made: u64,
    pub(super) failed: u64,
}

/// The final output of the job, which must end after the update.
pub(super) fn tally_of(job: &Job) -> Tally {
    assert!(job.is_active(), "it has to last longer than all of this: {}", job.log("bob"));
    job.ends();
    let log = job.log("bob");
    let tally = log.lines().find_map(|line| line.strip_prefix("quotes: ")).expect(&log);
    let mut numbers =
        tally.split(|other: char| !other.is_ascii_digit()).filter(|it| !it.is_empty());
    let mut number = || numbers.next().unwrap().parse().unwrap();
    Tally { made: number(), failed: number() }
}

/// The sample, in a loop for this time.
pub(super) fn lasting_job(time: &str) -> Value {
    let mut job = sample("remote-attestation-job.yaml");
    let bob = &mut job["spec"]["template"]["spec"]["containers"][1];
    assert_eq!(bob["name"], "bob");
    bob["args"].as_array_mut().unwrap().extend([json!("--for"), json!(time)]);
    job
}
