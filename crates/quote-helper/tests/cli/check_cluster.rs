//! `check` over a cluster, with a scripted API server. The findings have tests of their own.

mod api_server;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use api_server::{ApiServer, Reply};

use crate::check::{documented, finding, findings};
use crate::support::{Machine, RunResult};

/// Checks the cluster with this API server.
fn check(server: &ApiServer, arguments: &str) -> RunResult {
    let machine = Machine::new();
    machine.write("kubeconfig", server.kubeconfig());
    let mut command = machine.command(&format!("check {arguments}"));
    RunResult::of(command.env("KUBECONFIG", machine.path("kubeconfig")))
}

fn check_json(server: &ApiServer) -> RunResult {
    check(server, "--output json")
}

/// The reply of every API server to every client.
pub(crate) fn version() -> Reply {
    Reply::json(&json!({
        "major": "1", "minor": "33", "gitVersion": "v1.33.2", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    }))
}

fn list(items: &Value, token: &str) -> Reply {
    Reply::json(&json!({ "metadata": { "continue": token }, "items": items }))
}

/// A cluster with a node and nothing in it.
fn empty_cluster(path: &str) -> Reply {
    match path.split('?').next().unwrap() {
        "/version" => version(),
        "/api/v1/nodes" => list(&json!([{ "metadata": { "name": "worker" } }]), ""),
        path if path.ends_with("/pods") => list(&json!([]), ""),
        _ => Reply::status(404, "NotFound"),
    }
}

#[test]
fn a_cluster_without_the_add_on_has_the_command_that_installs_it() {
    let server = ApiServer::start(empty_cluster);
    let ended = check_json(&server).with_code(1);
    let subject = json!({
        "kind": "cluster", "server": server.url(), "namespace": "sgx-quote-helper",
    });
    assert_eq!(ended.json()["subject"], subject);
    assert_eq!(finding(&ended, "api-server")["status"], "ok");
    assert!(finding(&ended, "api-server")["detail"].as_str().unwrap().contains("v1.33.2"));
    assert_eq!(finding(&ended, "nodes-without-sgx")["status"], "warning");
    let installation = finding(&ended, "installation");
    assert_eq!(installation["status"], "failed");
    assert!(installation["fix"].as_str().unwrap().contains("quote-helper install"));
    let asked = server.asked();
    assert!(asked.iter().any(|path| path.starts_with("/api/v1/nodes?&limit=500")), "{asked:?}");
}

#[test]
fn missing_permissions_are_named_and_the_rest_is_checked() {
    let server = ApiServer::start(|path| match path {
        "/version" => version(),
        _ => Reply::status(403, "Forbidden"),
    });
    let ended = check_json(&server).with_code(0);
    let (diagnosis, documented) = (ended.json(), documented("A cluster"));
    for finding in findings(&diagnosis) {
        assert!(documented.contains(&finding["name"].as_str().unwrap()), "{finding}");
        match finding["name"].as_str().unwrap() {
            "api-server" => assert_eq!(finding["status"], "ok"),
            _ => assert_eq!(finding["status"], "skipped", "{finding}"),
        }
    }
    for (name, right) in [
        ("node", "list nodes"),
        ("pods", "list pods"),
        ("add-on-pods", "list pods in sgx-quote-helper"),
        ("sgx-plugin", "get daemonsets sgx-plugin in sgx-quote-helper"),
        ("sgx-webhook", "get deployments sgx-webhook in sgx-quote-helper"),
        ("webhook-configuration", "get mutatingwebhookconfigurations sgx-webhook"),
        ("serving-certificate", "get secrets sgx-webhook-certificates in sgx-quote-helper"),
    ] {
        let finding = finding(&ended, name);
        assert_eq!(finding["detail"], format!("you may not {right}"));
        assert!(finding["fix"].as_str().unwrap().contains(right), "{finding}");
    }
}

#[test]
fn a_pod_without_permission_is_skipped_and_a_missing_one_fails() {
    for (code, status, fix) in [
        (403, "skipped", "permission to create pods/exec"),
        (404, "failed", "kubectl -n sgx-quote-helper exec"),
    ] {
        let server = ApiServer::start(move |path| match path {
            path if path.contains("/exec") => Reply::status(code, ""),
            path if path.ends_with("/daemonsets/sgx-quote-helper") => quote_service(),
            path if path.starts_with("/api/v1/namespaces/sgx-quote-helper/pods") => {
                list(&json!([quote_service_pod()]), "")
            }
            path => empty_cluster(path),
        });
        let ended = check_json(&server).with_code(1);
        let finding = finding(&ended, "quote-service");
        assert_eq!(finding["status"], status, "{finding}");
        assert!(finding["fix"].as_str().unwrap().contains(fix), "{finding}");
    }
}

fn quote_service() -> Reply {
    Reply::json(&json!({
        "metadata": { "name": "sgx-quote-helper" },
        "spec": {
            "selector": { "matchLabels": { "app": "q" } },
            "template": { "spec": { "containers": [] } },
        },
        "status": {
            "desiredNumberScheduled": 1, "numberReady": 1, "currentNumberScheduled": 1,
            "numberMisscheduled": 0,
        },
    }))
}

fn quote_service_pod() -> Value {
    json!({
        "metadata": { "name": "q-1", "labels": { "app": "q" } },
        "spec": { "nodeName": "worker", "containers": [{ "name": "quote-service" }] },
        "status": { "containerStatuses": [{
            "name": "quote-service", "ready": true, "image": "", "imageID": "", "restartCount": 0,
            "state": { "running": {} },
        }] },
    })
}

/// Checks that there is one finding, which says that the API server is of no use.
#[track_caller]
fn is_away(ended: RunResult, says: &[&str]) {
    let ended = ended.with_code(1);
    let diagnosis = ended.json();
    let [finding] = findings(&diagnosis).try_into().unwrap();
    assert_eq!((&finding["name"], &finding["status"]), (&json!("api-server"), &json!("failed")));
    let detail = finding["detail"].as_str().unwrap();
    assert!(says.iter().all(|text| detail.contains(text)), "{says:?}: {detail}");
    assert!(finding["fix"].as_str().unwrap().contains("kubectl"));
}

#[test]
fn an_unreachable_api_server_is_one_finding_with_its_address() {
    let server = ApiServer::nowhere();
    is_away(check_json(&server), &[&server.url(), "refused"]);
}

#[test]
fn an_api_server_that_hangs_times_out() {
    let server = ApiServer::start(|_| Reply::Never);
    let begin = Instant::now();
    is_away(check_json(&server), &[&server.url(), "does not answer within 10 seconds"]);
    assert!(begin.elapsed() < Duration::from_secs(14), "{:?}", begin.elapsed());
}

#[test]
fn a_query_that_times_out_fails_its_own_findings_only() {
    let server = ApiServer::start(|path| match path.starts_with("/api/v1/pods") {
        true => Reply::Never,
        false => empty_cluster(path),
    });
    let begin = Instant::now();
    let ended = check_json(&server).with_code(1);
    assert!(begin.elapsed() < Duration::from_secs(14), "{:?}", begin.elapsed());
    let pods = finding(&ended, "pods")["detail"].clone();
    assert!(pods.as_str().unwrap().contains("does not answer within 10 seconds"), "{pods}");
    assert_eq!(finding(&ended, "installation")["status"], "failed");
}

#[test]
fn garbage_from_the_api_server_is_a_finding() {
    for garbage in ["<html>a proxy</html>", "{}", "[]", "\u{1b}[2J", ""] {
        let server = ApiServer::start(move |_| Reply::text(200, garbage));
        is_away(check_json(&server), &[&server.url()]);
    }
    for garbage in ["null", r#"{ "items": 1 }"#, r#"{ "metadata": {}, "items": [{ "spec": 1 }] }"#]
    {
        let server = ApiServer::start(move |path| match path {
            "/version" => version(),
            _ => Reply::text(200, garbage),
        });
        let ended = check_json(&server).with_code(1);
        assert_eq!(finding(&ended, "node")["status"], "failed");
    }
}

#[test]
fn an_endless_list_is_aborted() {
    let server = ApiServer::start(|path| match path.starts_with("/api/v1/nodes") {
        true => list(&json!([]), "more"),
        false => empty_cluster(path),
    });
    let ended = check_json(&server).with_code(1);
    let node = finding(&ended, "node")["detail"].clone();
    assert!(node.as_str().unwrap().contains("a list does not end"), "{node}");
}

#[test]
fn lists_are_read_to_their_end() {
    let server = ApiServer::start(|path| match path.contains("continue=next") {
        true => list(&json!([{ "metadata": { "name": "second" } }]), ""),
        false if path.starts_with("/api/v1/nodes") => {
            list(&json!([{ "metadata": { "name": "first" } }]), "next")
        }
        false => empty_cluster(path),
    });
    let ended = check_json(&server).with_code(1);
    let nodes = finding(&ended, "nodes-without-sgx");
    assert!(nodes["detail"].as_str().unwrap().contains("first, second"), "{nodes}");
}

#[test]
fn text_names_the_subject_and_fits_its_width() {
    let server = ApiServer::start(empty_cluster);
    let ended = check(&server, "").with_code(1);
    let first = format!("the cluster at {} (this machine: --machine)\n", server.url());
    assert!(ended.stdout.starts_with(&first), "{}", ended.stdout);
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn yaml_has_the_same_content_as_json() {
    let server = ApiServer::start(empty_cluster);
    let yaml = check(&server, "--output yaml").with_code(1).stdout;
    let read: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(read, check_json(&server).json());
}

#[test]
fn a_kubeconfig_or_a_flag_selects_the_subject() {
    let server = ApiServer::start(empty_cluster);
    let machine = Machine::new();
    machine.write("kubeconfig", server.kubeconfig());
    std::fs::create_dir_all(machine.path("home/.kube")).unwrap();
    machine.write("home/.kube/config", server.kubeconfig());
    let kubeconfig = ("KUBECONFIG", machine.path("kubeconfig"));
    let home = ("HOME", machine.path("home"));
    let none = ("HOME", machine.path("nowhere"));
    for (arguments, (name, value), kind) in [
        ("", &none, "machine"),
        ("", &kubeconfig, "cluster"),
        ("", &home, "cluster"),
        ("--machine", &kubeconfig, "machine"),
        ("--in-pod", &kubeconfig, "pod"),
        ("--socket aesm.socket", &kubeconfig, "machine"),
        ("--socket aesm.socket --cluster", &kubeconfig, "cluster"),
        ("--context x", &home, "cluster"),
    ] {
        let mut command = machine.command(&format!("check --output json {arguments}"));
        let ended = RunResult::of(command.env(name, value));
        assert_eq!(ended.json()["subject"]["kind"], kind, "{arguments} {name}");
    }
}

#[test]
fn an_unknown_cluster_is_an_error() {
    let server = ApiServer::nowhere();
    check(&server, "--context other").with_code(1).says(&["other", "kubeconfig"]);
    let machine = Machine::new();
    machine.run("check --cluster").with_code(1).says(&["kubeconfig"]);
    machine.write("kubeconfig", "no: [kubeconfig");
    let mut command = machine.command("check");
    let ended = RunResult::of(command.env("KUBECONFIG", machine.path("kubeconfig")));
    ended.with_code(1).says(&["kubeconfig"]);
    machine.run("check --cluster --machine").with_code(2).says(&["cannot be used with"]);
}
