//! Pods that are not ready, as the API server shows them.

use serde_json::{Value, json};

use super::*;

fn problem(status: &Value) -> Option<PodProblem> {
    let pod = json!({
        "metadata": { "name": "p", "namespace": "sgx" }, "spec": { "nodeName": "n", "containers": [] },
        "status": status,
    });
    PodProblem::of(&serde_json::from_value(pod).unwrap(), None)
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
fn a_container_that_ends_says_how_also_while_it_waits_to_be_started_again() {
    let ended =
        json!({ "terminated": { "exitCode": 3, "reason": "Error", "message": "no socket\n" } });
    let back_off =
        json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s" } });
    let expected = "the container c ended with exit code 3: no socket";
    let now = json!({ "containerStatuses": [container(&ended, &json!({}))] });
    says(&now, expected, "kubectl logs -n sgx p -c c --previous");
    let later = json!({ "containerStatuses": [container(&back_off, &ended)] });
    says(&later, expected, "--previous");
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let killed = json!({ "containerStatuses": [container(&killed, &json!({}))] });
    says(&killed, "the container c ended with exit code 137: OOMKilled", "--previous");
}

#[test]
fn init_containers_come_first_but_for_those_that_have_succeeded() {
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
fn a_pod_without_a_node_says_what_nodes_lack() {
    let status = |message: &str| {
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
        });
        json!({ "phase": "Pending", "conditions": [condition] })
    };
    let epc = "0/1 nodes are available: 1 Insufficient kubernetes.azure.com/sgx_epc_mem_in_MiB.";
    says(&status(epc), &format!("Unschedulable: {epc}"), "device plugin");
    let taint = "0/1 nodes are available: 1 node(s) had taint {a: b}";
    says(&status(taint), &format!("Unschedulable: {taint}"), "--toleration");
}

#[test]
fn a_pod_that_was_ended_says_by_whom() {
    let status = json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" });
    says(&status, "Evicted: low on memory", "kubectl describe");
}

#[test]
fn a_ready_pod_has_no_problem_and_one_of_which_nothing_is_known_has_one() {
    let ready = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
    assert_eq!(problem(&ready), None);
    says(&json!({}), "its containers have not started yet", "kubectl describe");
}

#[test]
fn an_event_adds_to_what_is_not_known_better() {
    let of = |status: &Value| {
        let pod = json!({ "metadata": { "name": "p" }, "status": status });
        PodProblem::of(&serde_json::from_value(pod).unwrap(), Some("probe failed")).unwrap()
    };
    let running = container(&json!({ "running": {} }), &json!({}));
    let running = of(&json!({ "containerStatuses": [running] }));
    assert_eq!(running.reason, "the container c runs and is not ready; probe failed");
    let waiting = json!({ "waiting": { "reason": "ErrImagePull", "message": "not found" } });
    let waiting = of(&json!({ "containerStatuses": [container(&waiting, &json!({}))] }));
    assert_eq!(waiting.reason, "ErrImagePull: not found");
}

#[test]
fn a_pod_that_has_just_been_made_is_no_news() {
    let waiting = json!({ "waiting": { "reason": "ContainerCreating" } });
    let young = problem(&json!({ "containerStatuses": [container(&waiting, &json!({}))] }));
    assert!(young.unwrap().is_usual());
    let running = json!({ "running": {} });
    let running = problem(&json!({ "containerStatuses": [container(&running, &json!({}))] }));
    assert!(!running.unwrap().is_usual());
}
