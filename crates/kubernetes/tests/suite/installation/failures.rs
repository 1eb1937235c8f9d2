//! Failures: their messages, and the remaining state.

use std::time::Duration;

use kubernetes::api_server::ApiError;
use kubernetes::installation::InstallationError;
use serde_json::json;
use tokio::time::Instant;

use crate::clock::pace;
use crate::installation::api_server::{ApiServer, Fault};
use crate::installation::installer::{NAMESPACE, Observed, cause, metadata, object, objects};

async fn failure(api_server: &ApiServer) -> InstallationError {
    Observed::new(api_server).install(&objects()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn all_missing_permissions_are_named_before_any_change() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.forbid(&["create daemonsets", "patch daemonsets", "list secrets", "patch nodes"]);
    let error = failure(&api_server).await;
    let said = error.to_string();
    assert!(matches!(error, InstallationError::MissingPermissions(_)), "{said}");
    for permission in
        ["create, patch daemonsets.apps in the namespace sgx", "list secrets", "patch nodes/status"]
    {
        assert!(said.contains(&format!("\n  {permission}\n")), "{permission}: {said}");
    }
    assert_eq!(said.matches("\n  ").count(), 3, "{said}");
    assert!(api_server.names().is_empty(), "not even the claim: {:?}", api_server.names());
    let error = Observed::new(&api_server).uninstall().await.unwrap_err();
    assert!(error.to_string().contains("list secrets"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_is_named_before_any_change() {
    let (api_server, installer) = Observed::start().await;
    let monitor = object(json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor",
        "metadata": metadata("sgx-quote-helper"), "spec": {},
    }));
    let monitored = [&objects()[..], &[monitor]].concat();
    installer.install(&monitored).await.unwrap();
    installer.install(&objects()).await.unwrap();
    api_server.lacks_pod_monitors();
    let writes = api_server.writes();
    for error in [
        installer.install(&monitored).await.unwrap_err(),
        installer.installer.preview(&monitored).await.unwrap_err(),
        installer.roll_back(None).await.unwrap_err(),
    ] {
        let said = error.to_string();
        assert!(matches!(error, InstallationError::UnknownKind(_)), "{said}");
        for words in ["PodMonitor (monitoring.coreos.com/v1)", "nothing was", "Prometheus operator"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    assert_eq!(api_server.writes(), writes);
    installer.uninstall().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_partial_failure_lists_applied_and_remaining_objects() {
    pace();
    let api_server = ApiServer::start().await;
    for fault in [Fault::Refusal(403), Fault::Refusal(422), Fault::Refusal(500), Fault::Silence] {
        api_server.recover();
        api_server.fail("PATCH clusterroles", fault);
        let error = failure(&api_server).await;
        let said = error.to_string();
        let error = cause(error);
        let InstallationError::HalfApplied(half) = &error else { panic!("{error}") };
        let names: Vec<_> = half.applied.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Namespace sgx", "ConfigMap sgx/settings"]);
        assert_eq!(half.failed.to_string(), "ClusterRole sgx-plugin");
        assert_eq!(half.left[0].to_string(), "DaemonSet sgx/sgx-plugin");
        assert!(said.contains("Run the command again to finish it"), "{said}");
        assert_eq!(api_server.names().len(), 3, "{:?}", api_server.names());
    }
    api_server.recover();
    Observed::new(&api_server).install(&objects()).await.unwrap();
    assert_eq!(api_server.names().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_api_server_is_reported() {
    pace();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let config = kube::Config::new(url.parse().unwrap());
    let api_server = kubernetes::api_server::ApiServer::new(config).unwrap();
    let error = api_server.version().await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(&url) && said.contains("refused"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn requests_time_out_after_ten_seconds() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.fail("", Fault::Silence);
    let begin = Instant::now();
    let error = failure(&api_server).await;
    assert!(begin.elapsed() < Duration::from_secs(11), "{:?}", begin.elapsed());
    let said = error.to_string();
    assert!(said.contains(&api_server.url()) && said.contains("10 seconds"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_response_of_another_server_is_reported() {
    pace();
    for text in ["", "<html>sign in</html>", "[]", "{}", r#"{"items":7}"#, "null", "\u{0}"] {
        let api_server = ApiServer::start().await;
        api_server.fail("", Fault::Text(text));
        let error = failure(&api_server).await;
        if !text.starts_with('{') {
            assert!(error.to_string().contains(&api_server.url()), "{text}: {error}");
        }
        let version = api_server.address().version().await.unwrap_err();
        assert!(matches!(version, ApiError::Unreadable { .. }), "{text}: {version}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_broken_answer_ends_without_a_panic() {
    pace();
    let requests = [
        "GET namespaces",
        "GET configmaps",
        "GET secrets",
        "GET daemonsets",
        "GET pods",
        "GET leases",
        "GET nodes",
        "POST leases",
        "PUT leases",
        "DELETE leases",
        "DRY-RUN configmaps",
        "PATCH namespaces",
        "PATCH configmaps",
        "PATCH daemonsets",
        "DELETE daemonsets",
        "DELETE namespaces",
    ];
    let faults = [
        Fault::Text("{}"),
        Fault::Text("null"),
        Fault::Text(r#"{"metadata":{"name":7}}"#),
        Fault::Text(r#"{"metadata":null,"items":[{},{"metadata":{}}]}"#),
        Fault::Text(r#"{"metadata":{},"status":{"desiredNumberScheduled":-1}}"#),
        Fault::Refusal(500),
        Fault::Refusal(404),
        Fault::Refusal(409),
    ];
    for request in requests {
        for fault in faults {
            let api_server = ApiServer::start().await;
            api_server.fail(request, fault);
            let mut installer = Observed::new(&api_server);
            installer.installer.timeout = Duration::from_secs(2);
            let _ = installer.install(&objects()).await;
            let _ = installer.installer.preview(&objects()).await;
            let _ = installer.roll_back(None).await;
            let _ = installer.uninstall().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_credentials_are_reported() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.fail("", Fault::Refusal(401));
    let said = failure(&api_server).await.to_string();
    assert!(said.contains("does not accept the credentials"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_terminating_namespace_is_refused() {
    pace();
    let api_server = ApiServer::start().await;
    let metadata = json!({ "name": NAMESPACE, "deletionTimestamp": "2030-01-01T00:00:00Z" });
    api_server.put("namespaces", json!({ "metadata": metadata }));
    let error = failure(&api_server).await;
    let said = error.to_string();
    assert!(matches!(error, InstallationError::NamespaceTerminating(_)), "{said}");
    assert!(said.contains("kubectl get namespace sgx"), "{said}");
    assert!(api_server.writes().is_empty(), "{:?}", api_server.writes());
}
