//! Pods that are not ready, as the API server shows them.

use serde_json::{Value, json};

use super::*;

fn problem(status: &Value) -> Option<PodProblem> {
    let pod = json!({
        "metadata": { "name": "p", "namespace": "sgx" },
        "spec": { "nodeName": "n", "containers": [] },
        "status": status,
    });
    PodProblem::of(&serde_json::from_value(pod).unwrap(), &[])
}

fn container(state: &Value, last_state: &Value) -> Value {
    json!({
        "name": "c", "ready": false, "state": state, "lastState": last_state, "image": "",
        "imageID": "", "restartCount": 0,
    })
}

#[track_caller]
fn says(status: &Value, reason: &str, fix: &str) {
    let problem = problem(status).unwrap();
    assert_eq!(problem.reason, reason);
    assert!(problem.fix.contains(fix), "{}", problem.fix);
}

#[test]
fn a_container_that_cannot_start_says_why() {
    for reason in ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"] {
        let waiting = json!({ "waiting": { "reason": reason, "message": "so" } });
        let status = json!({ "containerStatuses": [container(&waiting, &json!({}))] });
        says(&status, &format!("{reason}: so"), "--image");
    }
    let waiting =
        json!({ "waiting": { "reason": "CreateContainerConfigError", "message": "no Secret" } });
    let status = json!({ "containerStatuses": [container(&waiting, &json!({}))] });
    says(&status, "CreateContainerConfigError: no Secret", "kubectl describe pod -n sgx p");
}

#[test]
fn the_exit_of_a_container_is_shown_until_it_runs_again() {
    let ended =
        json!({ "terminated": { "exitCode": 3, "reason": "Error", "message": "no socket\n" } });
    let back_off =
        json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s" } });
    let expected = "the container c ended with exit code 3: no socket";
    let fix = |status| problem(status).unwrap().fix;
    let now = json!({ "containerStatuses": [container(&ended, &json!({}))] });
    says(&now, expected, "kubectl logs");
    assert_eq!(fix(&now), "kubectl logs -n sgx p -c c", "there need not be a previous run");
    let later = json!({ "containerStatuses": [container(&back_off, &ended)] });
    says(&later, expected, "kubectl logs");
    assert_eq!(fix(&later), "kubectl logs -n sgx p -c c --previous");
    let forgotten = json!({ "containerStatuses": [container(&back_off, &json!({}))] });
    says(&forgotten, "the container c ends again and again", "--previous");
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let killed = json!({ "containerStatuses": [container(&killed, &json!({}))] });
    says(&killed, "the container c ended with exit code 137: OOMKilled", "kubectl logs");
}

#[test]
fn failed_init_containers_come_first() {
    let creating = json!({ "waiting": { "reason": "PodInitializing" } });
    let done = json!({ "terminated": { "exitCode": 0, "reason": "Completed" } });
    let failed = json!({ "terminated": { "exitCode": 1 } });
    let status = |init: &Value| {
        json!({
            "initContainerStatuses": [container(init, &json!({}))],
            "containerStatuses": [container(&creating, &json!({}))],
        })
    };
    says(&status(&failed), "the container c ended with exit code 1", "kubectl logs");
    says(&status(&done), "its containers have not started yet", "kubectl describe pod");
}

#[test]
fn an_unschedulable_pod_shows_missing_resources() {
    let status = |message: &str| {
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": message,
        });
        json!({ "phase": "Pending", "conditions": [condition] })
    };
    let epc = "0/1 nodes are available: 1 Insufficient kubernetes.azure.com/sgx_epc_mem_in_MiB.";
    says(&status(epc), &format!("Unschedulable: {epc}"), "device plugin");
    let volume = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims";
    says(&status(volume), &format!("Unschedulable: {volume}"), "--pccs-storage");
    let taint = "0/1 nodes are available: 1 node(s) had taint {a: b}";
    says(&status(taint), &format!("Unschedulable: {taint}"), "--toleration");
}

#[test]
fn an_evicted_pod_shows_the_reason() {
    let status = json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" });
    says(&status, "Evicted: low on memory", "kubectl describe");
}

#[test]
fn a_pod_with_ready_containers_has_lost_its_node() {
    let mut ready = container(&json!({ "running": {} }), &json!({}));
    ready["ready"] = json!(true);
    let status = json!({
        "conditions": [{ "type": "Ready", "status": "False" }], "containerStatuses": [ready],
    });
    says(&status, "its containers run, but its node does not report", "kubectl describe node");
}

#[test]
fn only_ready_pods_have_no_problem() {
    let ready = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
    assert_eq!(problem(&ready), None);
    says(&json!({}), "its containers have not started yet", "kubectl describe");
}

/// The reason of a pod with this container and these events (reason, second, message).
fn with_events(state: &Value, events: &[(&str, u8, &str)]) -> String {
    let status = json!({ "containerStatuses": [container(state, &json!({}))] });
    let pod = json!({ "metadata": { "name": "p" }, "status": status });
    let event = |(reason, second, message): &(&str, u8, &str)| {
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {}, "reason": reason, "message": message,
            "lastTimestamp": format!("2030-01-01T00:00:{second:02}Z"),
        }))
        .unwrap()
    };
    let events: Vec<_> = events.iter().map(event).collect();
    PodProblem::of(&serde_json::from_value(pod).unwrap(), &events).unwrap().reason
}

#[test]
fn the_latest_event_of_the_current_state_is_shown() {
    let events = [
        ("FailedMount", 1, "no volume"),
        ("Unhealthy", 3, "probe failed"),
        ("Unhealthy", 2, "an older one"),
        ("FailedScheduling", 4, "0/1 nodes are available: 1 Insufficient cpu."),
        ("BackOff", 5, "back-off"),
    ];
    let running = json!({ "running": {} });
    let not_ready = "the container c runs and is not ready";
    assert_eq!(with_events(&running, &events), format!("{not_ready}; probe failed"));
    assert_eq!(with_events(&running, &events[3..]), not_ready);
    let creating = json!({ "waiting": { "reason": "ContainerCreating" } });
    let not_started = "its containers have not started yet";
    assert_eq!(with_events(&creating, &events), format!("{not_started}; no volume"));
    assert_eq!(with_events(&creating, &events[1..]), not_started);
    let waiting = json!({ "waiting": { "reason": "ErrImagePull", "message": "not found" } });
    assert_eq!(with_events(&waiting, &events), "ErrImagePull: not found");
}

#[test]
fn the_output_of_a_probe_is_cut_to_its_failures() {
    let running = json!({ "running": {} });
    let written = "Readiness probe failed: this container\n\nservice\n  ✓ socket   it is there\n  \
                   ✗ answer   none\n             within 2 seconds\n      fix: start it\n";
    assert_eq!(
        with_events(&running, &[("Unhealthy", 1, written)]),
        "the container c runs and is not ready; Readiness probe failed: this container ✗ answer \
         none within 2 seconds fix: start it"
    );
    let long = "é\n".repeat(500);
    let said = with_events(&running, &[("Unhealthy", 1, &long)]);
    assert!(said.contains("not ready; é é"), "{said}");
    assert!(said.ends_with('…') && said.chars().count() == 161, "{said}");
}

#[test]
fn a_terminating_pod_is_a_problem_unless_it_is_ready() {
    let of = |status: &Value| {
        let metadata = json!({ "name": "p", "deletionTimestamp": "2030-01-01T00:00:00Z" });
        let pod = json!({ "metadata": metadata, "status": status });
        PodProblem::of(&serde_json::from_value(pod).unwrap(), &[])
    };
    let going = of(&json!({})).unwrap();
    assert_eq!(going.reason, "it is being deleted");
    assert!(going.is_transient());
    assert_eq!(of(&json!({ "conditions": [{ "type": "Ready", "status": "True" }] })), None);
}

#[test]
fn a_new_pod_is_transient() {
    let waiting = json!({ "waiting": { "reason": "ContainerCreating" } });
    let young = problem(&json!({ "containerStatuses": [container(&waiting, &json!({}))] }));
    assert!(young.unwrap().is_transient());
    let running = json!({ "running": {} });
    let running = problem(&json!({ "containerStatuses": [container(&running, &json!({}))] }));
    assert!(!running.unwrap().is_transient());
}
