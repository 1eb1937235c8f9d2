//! Progress and timeouts of waits.

use std::time::Duration;

use kubernetes::installation::InstallationError;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::pace;
use crate::installation::api_server::{ApiServer, Fault, ready};
use crate::installation::installer::{Observed, cause, daemon_set, metadata, objects};

fn pod(status: &Value) -> Value {
    let mut metadata = metadata("sgx-plugin-x7f");
    metadata["labels"]["app"] = json!("sgx-plugin");
    metadata["uid"] = json!("4711");
    json!({ "metadata": metadata, "spec": { "nodeName": "node-2" }, "status": status })
}

fn without_image() -> Value {
    let message = "Container image \"sgx:1\" is not present";
    let waiting = json!({ "waiting": { "reason": "ErrImageNeverPull", "message": message } });
    let container = json!({
        "name": "plugin", "ready": false, "state": waiting, "image": "", "imageID": "",
        "restartCount": 0,
    });
    json!({ "phase": "Pending", "containerStatuses": [container] })
}

fn rolled_out(pods: i32, of: i32) -> Value {
    let mut daemon_set = daemon_set();
    daemon_set["metadata"]["generation"] = json!(1);
    daemon_set["status"] = ready(of);
    daemon_set["status"]["numberReady"] = json!(pods);
    daemon_set["status"]["numberAvailable"] = json!(pods);
    daemon_set
}

/// An API server whose pods do not start by themselves.
async fn slow_api_server() -> ApiServer {
    pace();
    let api_server = ApiServer::start().await;
    api_server.is_slow(true);
    api_server
}

/// Sets the status of the DaemonSet, once it exists.
fn then(api_server: &ApiServer, steps: Vec<(u64, Value)>) {
    let api_server = api_server.clone();
    tokio::spawn(async move {
        while api_server.get("daemonsets", "sgx-plugin").is_none() {
            sleep(Duration::from_millis(50)).await;
        }
        for (seconds, daemon_set) in steps {
            sleep(Duration::from_secs(seconds)).await;
            api_server.put("daemonsets", daemon_set);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn each_change_is_reported_once() {
    let api_server = slow_api_server().await;
    api_server.put("pods", pod(&without_image()));
    let steps = vec![(3, rolled_out(0, 3)), (3, rolled_out(1, 3)), (5, rolled_out(3, 3))];
    then(&api_server, steps);
    let installer = Observed::new(&api_server);
    installer.install(&objects()).await.unwrap();
    let said = installer.progress().split_off(1);
    let expected = [
        "sgx-plugin: not processed by Kubernetes yet",
        "sgx-plugin-x7f on node-2: ErrImageNeverPull: Container image \"sgx:1\" is not present",
        "sgx-plugin: 0 of 3 pods ready",
        "sgx-plugin: 1 of 3 pods ready",
        "sgx-plugin: 3 of 3 pods ready",
    ];
    assert_eq!(said, expected[usize::from(said[0] != expected[0])..]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_lists_each_pod_with_reason_and_fix() {
    let (api_server, installer) = Observed::start().await;
    api_server.is_slow(true);
    api_server.put("pods", pod(&without_image()));
    then(&api_server, vec![(0, rolled_out(0, 1))]);
    let error = installer.install(&objects()).await.unwrap_err();
    let said = error.to_string();
    let error = cause(error);
    let InstallationError::NotReady { pods, .. } = &error else { panic!("{error}") };
    assert_eq!(pods[0].node.as_deref(), Some("node-2"));
    assert!(pods[0].fix.contains("--image"), "{}", pods[0].fix);
    assert!(said.starts_with("not ready within 60 seconds:\n"), "{said}");
    assert!(said.contains("DaemonSet sgx/sgx-plugin: 0 of 1 pod ready"), "{said}");
    assert!(said.contains("is not present"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn warnings_include_the_events_of_unready_containers() {
    let api_server = slow_api_server().await;
    let container = json!({
        "name": "plugin", "ready": false, "state": { "running": {} }, "image": "", "imageID": "",
        "restartCount": 0,
    });
    api_server.put("pods", pod(&json!({ "containerStatuses": [container] })));
    let event = |name, reason, message| {
        json!({
            "metadata": { "name": name, "namespace": "sgx" }, "type": "Warning", "reason": reason,
            "message": message, "involvedObject": { "uid": "4711" },
        })
    };
    api_server.put("events", event("a", "Unhealthy", "HTTP probe failed:\n  no EPC\n"));
    api_server.put("events", event("b", "FailedScheduling", "no node"));
    let mut others = event("c", "Unhealthy", "of another pod");
    others["involvedObject"]["uid"] = json!("another");
    api_server.put("events", others);
    then(&api_server, vec![(0, rolled_out(0, 1))]);
    let installer = Observed::new(&api_server);
    let said = installer.install(&objects()).await.unwrap_err().to_string();
    let reason = "the container plugin runs and is not ready; HTTP probe failed: no EPC";
    assert!(said.contains(&format!("{reason}\n")), "{said}");
    let progress = installer.progress();
    assert!(progress.contains(&format!("sgx-plugin-x7f on node-2: {reason}")), "{progress:?}");
    api_server.fail("GET events", Fault::Refusal(403));
    let said = installer.install(&objects()).await.unwrap_err().to_string();
    assert!(said.contains("plugin runs and is not ready\n"), "events need not be readable: {said}");
}

#[tokio::test(start_paused = true)]
async fn progress_lines_have_a_bounded_length() {
    let api_server = slow_api_server().await;
    let mut waiting = without_image();
    let container = &mut waiting["containerStatuses"][0];
    container["state"]["waiting"]["message"] = json!("not\nthere ".repeat(100));
    api_server.put("pods", pod(&waiting));
    then(&api_server, vec![(0, rolled_out(0, 1))]);
    let installer = Observed::new(&api_server);
    installer.install(&objects()).await.unwrap_err();
    let progress = installer.progress();
    assert!(progress.iter().any(|line| line.contains("not there not there")), "{progress:?}");
    let fits = |line: &String| !line.contains('\n') && line.chars().count() < 170;
    assert!(progress.iter().all(fits), "{progress:?}");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_set_for_no_node_is_ready() {
    let (api_server, installer) = Observed::start().await;
    api_server.is_slow(true);
    then(&api_server, vec![(2, rolled_out(0, 0))]);
    installer.install(&objects()).await.unwrap();
    let said = installer.progress();
    assert!(said.iter().any(|line| line.contains("no node matches")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_temporarily_unreachable_api_server_is_retried() {
    let api_server = slow_api_server().await;
    then(&api_server, vec![(0, rolled_out(0, 1)), (20, rolled_out(1, 1))]);
    let away = api_server.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(5)).await;
        away.fail("GET daemonsets", Fault::Refusal(503));
        sleep(Duration::from_secs(20)).await;
        away.recover();
    });
    let installer = Observed::new(&api_server);
    installer.install(&objects()).await.unwrap();
    let said = installer.progress();
    assert!(said.iter().any(|line| line.contains("503")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_end_the_wait() {
    pace();
    for fault in [Fault::Refusal(403), Fault::Text("{}")] {
        let api_server = ApiServer::start().await;
        api_server.is_slow(true);
        api_server.fail("GET pods", fault);
        let error = Observed::new(&api_server).install(&objects()).await.unwrap_err();
        let error = cause(error);
        assert!(matches!(error, InstallationError::Api { .. }), "{error}");
    }
}
