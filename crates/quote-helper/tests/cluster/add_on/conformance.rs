//! An update whose service would not serve every client: the old pod goes on.

use serde_json::{Value, json};

use super::job::Job;
use super::updates::{daemon_set, lasting_job, tally_of};
use super::{AddOn, NAMESPACE, is_ready, list, quote_service_pod};
use crate::cluster::{eventually, kubectl};

/// An application's time, for both updates.
const LASTING: &str = "50s";

/// Real SGX with a library that is not there.
fn broken(argument: &Value) -> Option<Value> {
    match argument.as_str() {
        Some("--platform=software") => Some(json!("--platform=dcap")),
        Some(argument) if argument.starts_with("--collateral-listen") => None,
        _ => Some(argument.clone()),
    }
}

fn update(arguments: &[Value]) {
    let path = "/spec/template/spec/containers/0/args";
    let patch = json!([{ "op": "replace", "path": path, "value": arguments }]).to_string();
    kubectl(
        &["patch", "daemonset", "sgx-quote-helper", "-n", NAMESPACE, "--type=json", "-p", &patch],
        "",
    );
}

/// The message of the new pod's failed startup probe.
fn probe_failure() -> Option<String> {
    let messages = list("events", NAMESPACE).into_iter().filter_map(|event| {
        let is_probe = event["reason"] == "Unhealthy";
        is_probe.then(|| event["message"].as_str().unwrap_or_default().to_owned())
    });
    messages.into_iter().find(|message| message.contains("not taking over from "))
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
#[allow(clippy::print_stderr, reason = "the test also shows the Event")]
fn a_pod_that_would_not_serve_every_client_does_not_take_over() {
    let _add_on = AddOn::install_with_quote_service();
    let surge = &daemon_set()["spec"]["updateStrategy"]["rollingUpdate"]["maxSurge"];
    if *surge != json!(1) {
        eprintln!("skipped: this Kubernetes has no surge of DaemonSets");
        return;
    }
    let old = quote_service_pod();
    let job = Job::create(&lasting_job(LASTING));
    job.says("bob", "trusted");

    let arguments = daemon_set()["spec"]["template"]["spec"]["containers"][0]["args"].take();
    let arguments: Vec<Value> = arguments.as_array().unwrap().clone();
    let others: Vec<Value> = arguments.iter().filter_map(broken).collect();
    update(&[others, vec![json!("--dcap-library=/no-such-library.so")]].concat());
    let message = eventually("an Event has the reason", probe_failure);
    eprintln!("{message}");
    assert!(message.starts_with("Startup probe failed: "), "{message}");
    assert!(message.contains("which continues to serve: "), "{message}");
    assert!(message.contains("/no-such-library.so"), "{message}");
    let name = &old["metadata"]["name"];
    let pods = list("pods", NAMESPACE);
    let still = pods.iter().find(|pod| pod["metadata"]["name"] == *name).expect("the old pod");
    assert!(is_ready(still), "{still}");
    assert!(still["metadata"]["deletionTimestamp"].is_null(), "{still}");

    update(&arguments);
    eventually("the broken pod is gone", || {
        let pods = list("pods", NAMESPACE);
        let is_broken = |pod: &&Value| {
            pod["spec"]["containers"][0]["args"].to_string().contains("no-such-library")
        };
        pods.iter().find(is_broken).is_none().then_some(())
    });
    quote_service_pod();
    let tally = tally_of(&job);
    assert_eq!(tally.failed, 0, "{tally:?}");
    assert!(tally.made > 20, "{tally:?}");
}
