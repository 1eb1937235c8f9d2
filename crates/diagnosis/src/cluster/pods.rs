//! Pods that are written for the add-on and lack a setting, a node or a socket.

use k8s_openapi::api::core::v1::Pod;
use kubernetes::injection::{Injection, Settings, inject, uses_node_quote_service};

use super::facts::{Facts, has_ended, pod_object};
use super::injection_settings::{NOBODY, in_order, settings};
use super::{NAMED, epc, pending, pod_sockets};
use crate::finding::Finding;

/// True if the pod has not ended, and requests resources of SGX, uses the quote service, or has
/// warnings.
pub(crate) fn matters(pod: &Pod) -> bool {
    !has_ended(pod)
        && (!epc::all_requested(pod).is_empty()
            || uses_node_quote_service(pod)
            || !warnings(pod, &in_order(NOBODY)).is_empty())
}

pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let pods = match &facts.pods {
        Ok(pods) => pods,
        Err(error) => return vec![error.finding("pods")],
    };
    let others: Vec<_> =
        pending::findings(facts).into_iter().chain(pod_sockets::findings(facts)).collect();
    let wrong: Vec<_> = pods.iter().filter(|pod| !of_pod(pod, facts).is_empty()).collect();
    if wrong.is_empty() && others.is_empty() {
        return vec![Finding::ok("pods", "no pod lacks a setting, a node or a socket")];
    }
    let mut findings: Vec<_> = wrong.iter().take(NAMED).map(|pod| finding(pod, facts)).collect();
    let more = wrong.len().saturating_sub(NAMED);
    if more > 0 {
        let detail = format!("{more} more pods lack a setting");
        let fix = "fix the named ones first; they often share one template";
        findings.push(Finding::warning("pods", detail, fix));
    }
    findings.extend(others);
    findings
}

fn finding(pod: &Pod, facts: &Facts) -> Finding {
    let fix = "change the template of the pod (its Deployment or Job), and recreate it; \
               `quote-helper inject -f FILE` shows the same for a file";
    Finding::warning("pods", of_pod(pod, facts).join("; "), fix).about(pod_object(pod))
}

/// The warnings of the pod in this cluster. The add-on's own pods may run as its users.
fn of_pod(pod: &Pod, facts: &Facts) -> Vec<String> {
    let is_own = pod.metadata.namespace.as_ref() == Some(&facts.namespace);
    let settings = settings(facts);
    warnings(pod, &if is_own { Settings { add_on_uids: NOBODY, ..settings } } else { settings })
}

/// The warnings that injection has for the pod.
fn warnings(pod: &Pod, settings: &Settings) -> Vec<String> {
    if has_ended(pod) {
        return Vec::new();
    }
    let Injection { warnings, .. } = inject(pod.clone(), settings);
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{EPC, in_order, typed};
    use super::*;
    use crate::finding::Status;

    fn pod(name: &str, container: Value) -> Pod {
        let mut container = container;
        container["name"] = json!("app");
        typed(json!({
            "metadata": { "name": name, "namespace": "shop" },
            "spec": { "containers": [container] },
        }))
    }

    fn without_epc(name: &str) -> Pod {
        pod(name, json!({ "env": [{ "name": "SGX_AESM_ADDR", "value": "1" }] }))
    }

    #[test]
    fn pods_that_lack_something_are_named() {
        let misspelled = json!({ "limits": { "sgx.intel.com/sgx_epc_mem_in_MiB": "10" } });
        let misspelled = pod("misspelled", json!({ "resources": misspelled }));
        let right = pod("right", json!({ "resources": { "limits": { EPC: "10" } } }));
        assert!([&misspelled, &right, &without_epc("a")].into_iter().all(matters));
        assert!(!matters(&pod("another", json!({}))));
        let facts = Facts { pods: Ok(vec![right, misspelled, without_epc("bare")]), ..in_order() };
        let [first, second] = <[Finding; 2]>::try_from(findings(&facts)).unwrap();
        assert_eq!((first.status, second.status), (Status::Warning, Status::Warning));
        assert_eq!(first.object.as_deref(), Some("pod/shop/misspelled"));
        assert!(first.detail.contains("does not offer"), "{first:?}");
        assert_eq!(second.object.as_deref(), Some("pod/shop/bare"));
        assert!(second.detail.contains("no container requests EPC"), "{second:?}");
    }

    #[test]
    fn pods_with_a_user_of_the_add_on_are_named() {
        let container = |user: u32| {
            let resources = json!({ "limits": { EPC: "10" } });
            json!({ "resources": resources, "securityContext": { "runAsUser": user } })
        };
        let daemon_set = json!({ "spec": {
            "selector": {},
            "template": { "spec": { "containers": [
                { "name": "quote-service", "securityContext": { "runAsUser": 61100 } },
            ] } },
        } });
        let mut own = pod("own", container(61100));
        own.metadata.namespace = Some(in_order().namespace);
        let facts = Facts {
            pods: Ok(vec![pod("app", container(61100)), pod("other", container(65532)), own]),
            quote_service: Ok(Some(typed(daemon_set))),
            ..in_order()
        };
        let [finding] = <[Finding; 1]>::try_from(findings(&facts)).unwrap();
        assert_eq!(finding.object.as_deref(), Some("pod/shop/app"));
        assert!(finding.detail.contains("runs as user 61100"), "{finding:?}");
    }

    #[test]
    fn of_many_some_are_named() {
        let pods = (0..25).map(|number| without_epc(&number.to_string())).collect();
        let findings = findings(&Facts { pods: Ok(pods), ..in_order() });
        assert_eq!(findings.len(), NAMED + 1);
        assert_eq!(findings.last().unwrap().detail, "15 more pods lack a setting");
    }

    #[test]
    fn ended_pods_are_ignored() {
        let mut ended = without_epc("job");
        ended.status = Some(typed(json!({ "phase": "Succeeded" })));
        assert!(!matters(&ended));
        let found = findings(&Facts { pods: Ok(vec![ended]), ..in_order() });
        assert_eq!(found[0].status, Status::Ok);
    }
}
