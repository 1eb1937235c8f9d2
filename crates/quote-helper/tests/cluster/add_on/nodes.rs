//! Nodes tell about their quote service.

use serde_json::Value;

use super::{AddOn, NAMESPACE, quote_helper, succeeds};
use crate::cluster::{eventually, kubectl};

/// Every node's condition of its quote service.
fn conditions() -> Vec<Option<Value>> {
    let nodes: Value = serde_json::from_str(&kubectl(&["get", "nodes", "-o=json"], "")).unwrap();
    let of_node = |node: &Value| {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        conditions.iter().find(|condition| condition["type"] == "QuoteServiceReady").cloned()
    };
    nodes["items"].as_array().unwrap().iter().map(of_node).collect()
}

#[track_caller]
fn all_become(status: &str, reason: &str) {
    eventually(&format!("all nodes have {status}, {reason}"), || {
        let is_so = |condition: &Option<Value>| {
            let condition = condition.as_ref();
            condition.is_some_and(|it| it["status"] == status && it["reason"] == reason)
        };
        conditions().iter().all(is_so).then_some(())
    });
}

fn events(reason: &str) -> usize {
    let selected = format!("--field-selector=involvedObject.kind=Node,reason={reason}");
    kubectl(&["get", "events", "-n=default", "-o=name", &selected], "").lines().count()
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn condition_and_events_of_a_node_follow_its_quote_service() {
    let add_on = AddOn::install_with_quote_service();
    all_become("True", "MakesQuotes");
    let before = events("QuoteServiceNotReady");
    let nowhere = r#"{"spec":{"template":{"spec":{"nodeSelector":{"add-on-test":"nowhere"}}}}}"#;
    kubectl(&["patch", "daemonset", "sgx-quote-helper", "-n", NAMESPACE, "-p", nowhere], "");
    all_become("False", "NotRunning");
    eventually("an Event of each node", || {
        (events("QuoteServiceNotReady") >= before + conditions().len()).then_some(())
    });
    let anywhere = r#"[{"op":"remove","path":"/spec/template/spec/nodeSelector/add-on-test"}]"#;
    let patch = ["patch", "daemonset", "sgx-quote-helper", "-n", NAMESPACE, "--type=json"];
    kubectl(&[&patch[..], &["-p", anywhere]].concat(), "");
    all_become("True", "MakesQuotes");
    succeeds(&quote_helper(&["upgrade", "--disable-sgxquotehelper"]));
    eventually("no condition without a quote service", || {
        conditions().iter().all(Option::is_none).then_some(())
    });
    succeeds(&quote_helper(&["upgrade", "--enable-sgxquotehelper"]));
    all_become("True", "MakesQuotes");
    add_on.uninstall();
    assert!(conditions().iter().all(Option::is_none), "{:?}", conditions());
}
