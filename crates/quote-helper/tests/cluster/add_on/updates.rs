//! Applications that request quotes while the add-on is replaced.

use serde_json::{Value, json};

use super::job::{Job, sample};
use super::{
    AddOn, NAMESPACE, image, is_ready, list, next_image, quote_helper, quote_service_pod, succeeds,
};
use crate::cluster::{eventually, kubectl};
use crate::node::restart;

/// Attests for longer than the update takes.
const LASTING: &str = "60s";

const QUOTE_SERVICE: &str = "sgx-quote-helper";
/// The name of the DaemonSet with the surging pod.
const SURGE: &str = "sgx-quote-helper-surge";

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

/// Simulates a surge on a Kubernetes without it.
#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also measures")]
fn a_surging_pod_takes_over_without_failed_quotes() {
    let _add_on = AddOn::install_with_quote_service();
    let job = Job::create(&lasting_job("20s"));
    job.says("bob", "trusted");

    let next = daemon_set_named(SURGE);
    kubectl(&["create", "-f", "-"], &next.to_string());
    eventually("the old pod has handed over", || {
        quote_service_log().contains("handed over").then_some(())
    });
    eventually("the new pod is ready", || {
        let pods = list("pods", NAMESPACE);
        let named = |pod: &&Value| pod["metadata"]["labels"]["app.kubernetes.io/name"] == SURGE;
        pods.iter().find(named).filter(|pod| is_ready(pod)).map(drop)
    });
    kubectl(&["delete", "daemonset", QUOTE_SERVICE, "-n", NAMESPACE, "--wait=true"], "");

    let tally = tally_of(&job);
    assert_eq!(tally.failed, 0, "{tally:?}");
    assert!(tally.made > 100, "{tally:?}");
    eprintln!("while one pod took over from another: {tally:?}");
}

/// The quote service's DaemonSet by another name, with its own pods.
fn daemon_set_named(name: &str) -> Value {
    let mut daemon_set = daemon_set();
    let label = "app.kubernetes.io/name";
    let labels = daemon_set["metadata"]["labels"].take();
    daemon_set["metadata"] = json!({ "name": name, "namespace": NAMESPACE, "labels": labels });
    daemon_set["spec"]["selector"]["matchLabels"][label] = json!(name);
    daemon_set["spec"]["template"]["metadata"]["labels"][label] = json!(name);
    daemon_set["status"] = Value::Null;
    daemon_set
}

/// The quote service's DaemonSet.
pub(super) fn daemon_set() -> Value {
    let get = ["get", "daemonset", QUOTE_SERVICE, "-n", NAMESPACE, "-o=json"];
    serde_json::from_str(&kubectl(&get, "")).unwrap()
}

/// The log of the quote service's first pod.
fn quote_service_log() -> String {
    kubectl(&["logs", &format!("daemonset/{QUOTE_SERVICE}"), "-n", NAMESPACE], "")
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
