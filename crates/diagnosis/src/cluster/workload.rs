//! What DaemonSets and Deployments have in common.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::Pod;
use kubernetes::pod_problem::PodProblem;

use super::NAMED;
use super::facts::name;
use crate::finding::Finding;

/// A part of the add-on.
pub(crate) struct Workload<'a> {
    /// How many pods there are to be.
    wanted: i32,
    ready: i32,
    /// What to do if there are to be none.
    if_none: &'static str,
    labels: Option<&'a BTreeMap<String, String>>,
}

impl<'a> From<&'a DaemonSet> for Workload<'a> {
    fn from(daemon_set: &'a DaemonSet) -> Self {
        let (spec, status) = (daemon_set.spec.as_ref(), daemon_set.status.as_ref());
        Self {
            wanted: status.map_or(0, |status| status.desired_number_scheduled),
            ready: status.map_or(0, |status| status.number_ready),
            if_none: "see `nodes` for those with SGX, and label others that have it: `kubectl label \
                      node NAME sgx.intel.com/capable=true`",
            labels: spec.and_then(|spec| spec.selector.match_labels.as_ref()),
        }
    }
}

impl<'a> From<&'a Deployment> for Workload<'a> {
    fn from(deployment: &'a Deployment) -> Self {
        let (spec, status) = (deployment.spec.as_ref(), deployment.status.as_ref());
        Self {
            // One is what the API server writes if nobody has said a number.
            wanted: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            ready: status.and_then(|status| status.ready_replicas).unwrap_or(0),
            if_none: "somebody has scaled it to 0: `quote-helper install` brings it back",
            labels: spec.and_then(|spec| spec.selector.match_labels.as_ref()),
        }
    }
}

impl<'a> Workload<'a> {
    /// Its pods among these.
    pub(crate) fn pods<'p>(&self, pods: &'p [Pod]) -> impl Iterator<Item = &'p Pod> + use<'p, 'a> {
        let wanted = self.labels;
        pods.iter().filter(move |pod| {
            let has = |(key, value)| {
                pod.metadata.labels.as_ref().and_then(|it| it.get(key)) == Some(value)
            };
            wanted.is_some_and(|wanted| wanted.iter().all(has))
        })
    }

    /// How many pods are ready, and why each other one is not.
    pub(crate) fn findings(&self, found: &'static str, pods: Option<&[Pod]>) -> Vec<Finding> {
        let Self { wanted, ready, .. } = *self;
        let detail = format!("{ready} of {wanted} pods are ready");
        if wanted == 0 {
            return vec![Finding::warning(found, "no pod of it is wanted", self.if_none)];
        }
        if ready >= wanted {
            return vec![Finding::ok(found, detail)];
        }
        let unready = self.pods(pods.unwrap_or_default()).filter_map(|pod| {
            let PodProblem { reason, fix, .. } = PodProblem::of(pod, &[])?;
            Some(Finding::failed(found, reason, fix).about(object(pod)))
        });
        let mut findings: Vec<_> = unready.take(NAMED).collect();
        let fix = "see the pods below; `kubectl get events` of the namespace tells about those that are not \
                   there";
        findings.insert(0, Finding::failed(found, detail, fix));
        findings
    }
}

/// The pod and its node.
fn object(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    match node {
        Some(node) => format!("node/{node} pod/{}", name(&pod.metadata)),
        None => format!("pod/{}", name(&pod.metadata)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorded::{pod, typed, workload};
    use super::*;
    use crate::finding::Status;

    #[test]
    fn pods_that_are_not_ready_are_named_with_their_nodes() {
        let daemon_set: DaemonSet = typed(workload("sgx-plugin", 3, 1));
        let mut pods = vec![pod("sgx-plugin", "a", "n1"), pod("sgx-plugin", "b", "n2")];
        pods[1].status.as_mut().unwrap().conditions = None;
        let mut other = pod("another", "c", "n3");
        other.status.as_mut().unwrap().conditions = None;
        pods.push(other);
        let findings = Workload::from(&daemon_set).findings("sgx-plugin", Some(&pods));
        let [all, unready] = <[Finding; 2]>::try_from(findings).unwrap();
        assert_eq!((all.status, all.detail.as_str()), (Status::Failed, "1 of 3 pods are ready"));
        assert_eq!(unready.object.as_deref(), Some("node/n2 pod/b"));
        assert!(unready.detail.contains("its node does not report"), "{unready:?}");
    }

    #[test]
    fn a_ready_workload_is_ok_and_one_without_pods_is_not() {
        for (wanted, ready, status) in
            [(2, 2, Status::Ok), (0, 0, Status::Warning), (1, 0, Status::Failed)]
        {
            for findings in [
                Workload::from(&typed::<DaemonSet>(workload("w", wanted, ready)))
                    .findings("w", None),
                Workload::from(&typed::<Deployment>(workload("w", wanted, ready)))
                    .findings("w", None),
            ] {
                assert_eq!(findings[0].status, status, "{findings:?}");
            }
        }
    }
}
