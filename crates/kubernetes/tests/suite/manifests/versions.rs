//! Clusters that do not know everything yet.

use kubernetes::manifests::Platform;
use serde_json::{Value, json};

use crate::manifests::choices::{cluster, everything};
use crate::manifests::{find, kind};

#[test]
fn the_quote_service_surges_where_daemon_sets_can() {
    for (version, surge, unavailable) in
        [("1.21", Value::Null, 1), ("1.22", json!(1), 0), ("1.33", json!(1), 0)]
    {
        let objects = everything(Platform::Dcap).objects(&cluster(version)).unwrap();
        let service = find(&objects, "DaemonSet", "sgx-quote-helper");
        let rolling_update = &service["spec"]["updateStrategy"]["rollingUpdate"];
        assert_eq!(rolling_update["maxSurge"], surge, "{version}");
        assert_eq!(rolling_update["maxUnavailable"], unavailable, "{version}");
    }
    // Two pods at a time are to have the provisioning key then.
    let objects = everything(Platform::Dcap).objects(&cluster("1.33")).unwrap();
    let plugin = find(&objects, "DaemonSet", "sgx-plugin");
    let arguments = plugin["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(arguments.contains("--provision-limit=2"), "{arguments}");
}

#[test]
fn disruption_budgets_depend_on_the_version() {
    for (version, has) in [("1.20", false), ("1.21", true)] {
        let objects = everything(Platform::Dcap).objects(&cluster(version)).unwrap();
        let found = objects.iter().any(|object| kind(object) == "PodDisruptionBudget");
        assert_eq!(found, has, "{version}");
    }
}
