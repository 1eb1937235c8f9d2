//! Concurrent installations.

use std::future::pending;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kubernetes::installation::InstallationError;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::pace;
use crate::installation::api_server::{ApiServer, Fault};
use crate::installation::installer::{Observed, WAIT, objects};

const LEASE: &str = "sgx-quote-helper-install";

/// A Lease of another holder, renewed this many seconds ago.
fn claim(age: i64) -> Value {
    let renewed = Timestamp::now() - SignedDuration::from_secs(age);
    json!({
        "metadata": { "name": LEASE, "namespace": "kube-system" },
        "spec": {
            "holderIdentity": "bob@there (process 2)",
            "acquireTime": "2030-01-02T03:04:05.000000Z",
            "renewTime": format!("{renewed:.6}"),
        },
    })
}

/// An installation that runs until it is told to stop.
async fn busy(api_server: &ApiServer) -> tokio::task::JoinHandle<Result<(), InstallationError>> {
    api_server.is_slow(true);
    let installer = Observed::new(api_server);
    let task = tokio::spawn(async move { installer.install(&objects()).await.map(drop) });
    while api_server.get("daemonsets", "sgx-plugin").is_none() {
        assert!(!task.is_finished(), "{:?}", task.await);
        sleep(Duration::from_millis(50)).await;
    }
    task
}

#[tokio::test(start_paused = true)]
async fn a_second_installation_is_refused() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.put("leases", claim(5));
    let second = Observed::new(&api_server);
    for result in [second.install(&objects()).await, second.uninstall().await] {
        let error = result.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, InstallationError::LeaseHeld { .. }), "{said}");
        assert!(said.starts_with("bob@there (process 2) has"), "{said}");
        assert!(said.contains("since 2030-01-02T03:04:05Z;"), "{said}");
    }
    assert_eq!(api_server.names(), [format!("leases kube-system/{LEASE}")]);
    assert_eq!(
        api_server.get("leases", LEASE).unwrap()["spec"]["holderIdentity"],
        "bob@there (process 2)"
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_is_taken_over() {
    pace();
    for stale in [claim(31), json!({ "metadata": { "name": LEASE, "namespace": "kube-system" } })] {
        let api_server = ApiServer::start().await;
        api_server.put("leases", stale);
        Observed::new(&api_server).install(&objects()).await.unwrap();
        assert!(api_server.get("leases", LEASE).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflicting_claim_is_refused() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.fail("POST leases", Fault::Refusal(409));
    let error = Observed::new(&api_server).install(&objects()).await.unwrap_err();
    assert!(matches!(error, InstallationError::LeaseHeld { .. }), "{error}");
    assert!(api_server.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_during_the_work() {
    pace();
    let api_server = ApiServer::start().await;
    let task = busy(&api_server).await;
    let version =
        || api_server.get("leases", LEASE).unwrap()["metadata"]["resourceVersion"].clone();
    for _ in 0..3 {
        let before = version();
        sleep(Duration::from_secs(11)).await;
        assert_ne!(version(), before);
    }
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_stops_the_installation() {
    pace();
    let api_server = ApiServer::start().await;
    let task = busy(&api_server).await;
    api_server.put("leases", claim(0));
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error, InstallationError::LeaseLost(_)), "{error}");
    assert!(api_server.get("leases", LEASE).is_some(), "it is somebody else's");
}

#[tokio::test(start_paused = true)]
async fn an_installation_stops_before_its_lease_expires() {
    pace();
    let api_server = ApiServer::start().await;
    let task = busy(&api_server).await;
    api_server.fail("PUT leases", Fault::Refusal(500));
    sleep(Duration::from_secs(25)).await;
    assert!(!task.is_finished(), "it may pass");
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error, InstallationError::LeaseLost(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_released_in_any_case() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.fail("PATCH clusterroles", Fault::Refusal(500));
    Observed::new(&api_server).install(&objects()).await.unwrap_err();
    assert!(api_server.get("leases", LEASE).is_none());
    api_server.recover();
    api_server.is_slow(true);
    let stopped = Observed::new(&api_server);
    let stop = sleep(Duration::from_secs(5));
    let error = stopped.installer.install(&objects(), WAIT, stop).await.unwrap_err();
    assert!(matches!(error, InstallationError::Interrupted), "{error}");
    assert!(api_server.get("leases", LEASE).is_none());
}

#[tokio::test(start_paused = true)]
async fn one_of_many_installations_runs() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.is_slow(true);
    let mut tasks = Vec::new();
    for number in 0..8 {
        let installer = Observed::named(&api_server, &format!("number {number}"));
        tasks.push(tokio::spawn(async move {
            installer.installer.install(&objects(), WAIT, pending()).await
        }));
    }
    let mut held = 0;
    for task in tasks {
        held += i32::from(matches!(task.await.unwrap(), Err(InstallationError::LeaseHeld { .. })));
    }
    assert_eq!(held, 7);
}
