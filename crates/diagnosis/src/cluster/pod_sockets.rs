//! Pods with a node that lack the enclave device, the socket or a quote service.

use k8s_openapi::api::core::v1::Pod;
use kubernetes::injection::{
    self, MissingSettings, missing_settings, refuses_injection, uses_node_quote_service,
};

use super::facts::{Facts, has_ended, is_on_node, name, pod_object};
use super::injection_settings::settings;
use super::workload::Workload;
use super::{NAMED, epc};
use crate::finding::Finding;

const NAME: &str = "pod-socket";

/// The namespaces that admission leaves alone, besides the add-on's.
const LEFT_ALONE: &str = "kube-system";

/// The findings of each pod.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let Ok(pods) = &facts.pods else { return Vec::new() };
    let own = Some(&facts.namespace);
    let pods = pods.iter().filter(|pod| {
        !has_ended(pod)
            && pod.metadata.deletion_timestamp.is_none()
            && pod.metadata.namespace.as_ref() != own
    });
    let mut findings: Vec<_> = pods.flat_map(|pod| of_pod(pod, facts)).collect();
    let more = findings.len().saturating_sub(NAMED);
    if more > 0 {
        findings.truncate(NAMED);
        let fix = "fix the named ones first; they often share one template or one node";
        findings.push(Finding::warning(NAME, format!("{more} more pods lack one"), fix));
    }
    findings
}

fn of_pod(pod: &Pod, facts: &Facts) -> Option<Finding> {
    // Without the add-on there is nothing that adds settings, as `installation` says.
    let found = match facts.lacks_add_on() {
        true => without_socket(pod),
        false => unadmitted(pod, facts)
            .or_else(|| without_socket(pod))
            .or_else(|| without_quote_service(pod, facts)),
    };
    found.map(|finding| finding.about(pod_object(pod)))
}

/// The finding about a pod that admission did not see.
fn unadmitted(pod: &Pod, facts: &Facts) -> Option<Finding> {
    let missing = missing_settings(pod, &settings(facts));
    let listed = missing.iter().map(|MissingSettings { container, settings }| {
        format!("container {container:?} lacks {}", settings.join(", "))
    });
    let listed: Vec<_> = listed.collect();
    if listed.is_empty() {
        return None;
    }
    let by_hand = "add them to the pod's template yourself: `quote-helper inject -f FILE` does";
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let (reason, fix) = if refuses_injection(pod) {
        let reason = "its label sgx-quote-helper/inject=false keeps the add-on from adding them";
        (
            reason,
            format!(
                "remove that label from the pod's template, and recreate the pod; or {by_hand}"
            ),
        )
    } else if namespace == LEFT_ALONE {
        let reason = "the add-on leaves the pods of kube-system alone";
        (reason, by_hand.to_owned())
    } else {
        let reason = "it was created before the add-on was there, or while its webhook was away";
        let delete = format!("kubectl -n {namespace} delete pod {}", name(&pod.metadata));
        (reason, format!("recreate it: `{delete}`; without a Deployment or Job, apply it again"))
    };
    let detail =
        format!("{}, so it has no enclave device or no socket: {reason}", listed.join("; "));
    Some(Finding::failed(NAME, detail, fix).with_value("not-admitted"))
}

/// The finding about containers with `SGX_AESM_ADDR` beside others with EPC. Without any EPC,
/// `pods` has a warning.
fn without_socket(pod: &Pod) -> Option<Finding> {
    let spec = pod.spec.as_ref().filter(|_| epc::requests_epc(pod))?;
    let containers: Vec<_> = injection::containers_without_socket(spec)
        .map(|container| format!("{:?}", container.name))
        .collect();
    if containers.is_empty() {
        return None;
    }
    let detail = format!(
        "SGX_AESM_ADDR is set, but there is no socket in: {}. The device plugin mounts it into \
         containers that ask for EPC, and these do not",
        containers.join(", ")
    );
    let fix = "ask for EPC in that container, too; or mount a hostPath volume /var/run/aesmd at \
               /var/run/aesmd; or leave out SGX_AESM_ADDR";
    Some(Finding::failed(NAME, detail, fix).with_value("no-socket"))
}

/// The finding about a pod on a node whose quote service is missing or not ready.
fn without_quote_service(pod: &Pod, facts: &Facts) -> Option<Finding> {
    let node = pod.spec.as_ref()?.node_name.as_deref().filter(|_| uses_node_quote_service(pod))?;
    let (Ok(Some(daemon_set)), Ok(pods)) = (&facts.quote_service, &facts.add_on_pods) else {
        return None;
    };
    let here: Vec<_> =
        Workload::from(daemon_set).pods(pods).filter(|pod| is_on_node(pod, node)).collect();
    if here.iter().any(|pod| kubernetes::pod_problem::is_ready(pod)) {
        return None;
    }
    let (detail, fix) = match here.first() {
        None => (
            format!("its node {node} has no quote service: /var/run/aesmd is empty there"),
            "see `no-quote-service` and `node`: label the node, or let the pod run on a node with \
             a quote service"
                .to_owned(),
        ),
        Some(service) => (
            format!(
                "the quote service of its node {node}, {}, is not ready: its quotes fail",
                name(&service.metadata)
            ),
            "see `sgx-quote-helper` and `quote-service`; the pod needs no change".to_owned(),
        ),
    };
    Some(Finding::failed(NAME, detail, fix).with_value("no-quote-service"))
}

#[cfg(test)]
mod tests;
