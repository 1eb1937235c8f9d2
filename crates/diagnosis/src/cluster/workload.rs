//! DaemonSets and Deployments.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::Pod;
use kubernetes::pod_problem::PodProblem;

use super::NAMED;
use super::facts::name;
use crate::finding::Finding;

/// A part of the add-on.
pub(crate) struct Workload<'a> {
    /// The desired number of pods.
    desired: i32,
    ready: i32,
    /// The fix if that is 0.
    if_none: &'static str,
    labels: Option<&'a BTreeMap<String, String>>,
}

impl<'a> From<&'a DaemonSet> for Workload<'a> {
    fn from(daemon_set: &'a DaemonSet) -> Self {
        let (spec, status) = (daemon_set.spec.as_ref(), daemon_set.status.as_ref());
        Self {
            desired: status.map_or(0, |status| status.desired_number_scheduled),
            ready: status.map_or(0, |status| status.number_ready),
            if_none: "see `nodes` for those with SGX, and label others that have it: `kubectl \
                      label node NAME sgx.intel.com/capable=true`",
            labels: spec.and_then(|spec| spec.selector.match_labels.as_ref()),
        }
    }
}

impl<'a> From<&'a Deployment> for Workload<'a> {
    fn from(deployment: &'a Deployment) -> Self {
        let (spec, status) = (deployment.spec.as_ref(), deployment.status.as_ref());
        Self {
            // 1 is the API server's default.
            desired: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            ready: status.and_then(|status| status.ready_replicas).unwrap_or(0),
            if_none: "it was scaled to 0: `quote-helper install` brings it back",
            labels: spec.and_then(|spec| spec.selector.match_labels.as_ref()),
        }
    }
}

impl<'a> Workload<'a> {
    pub(crate) fn pods<'p>(&self, pods: &'p [Pod]) -> impl Iterator<Item = &'p Pod> + use<'p, 'a> {
        let desired = self.labels;
        pods.iter().filter(move |pod| {
            let has = |(key, value)| {
                pod.metadata.labels.as_ref().and_then(|it| it.get(key)) == Some(value)
            };
            desired.is_some_and(|desired| desired.iter().all(has))
        })
    }

    /// The number of ready pods, and the problem of each other pod.
    pub(crate) fn findings(&self, found: &'static str, pods: Option<&[Pod]>) -> Vec<Finding> {
        let Self { desired, ready, .. } = *self;
        let detail = format!("{ready} of {desired} pods are ready");
        if desired == 0 {
            return vec![Finding::warning(found, "no pod is desired", self.if_none)];
        }
        if ready >= desired {
            return vec![Finding::ok(found, detail)];
        }
        let unready = self.pods(pods.unwrap_or_default()).filter_map(|pod| {
            let PodProblem { reason, fix, .. } = PodProblem::of(pod, &[])?;
            Some(Finding::failed(found, reason, fix).about(object(pod)))
        });
        let mut findings: Vec<_> = unready.take(NAMED).collect();
        let fix =
            "see the pods below; `kubectl get events` of the namespace tells about missing ones";
        findings.insert(0, Finding::failed(found, detail, fix));
        findings
    }
}

fn object(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    match node {
        Some(node) => format!("node/{node} pod/{}", name(&pod.metadata)),
        None => format!("pod/{}", name(&pod.metadata)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{pod, typed, workload};
    use super::*;
    use crate::finding::Status;

    #[test]
    fn unready_pods_are_named_with_their_node() {
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
    fn ready_workloads_are_ok_and_those_without_pods_are_not() {
        for (desired, ready, status) in
            [(2, 2, Status::Ok), (0, 0, Status::Warning), (1, 0, Status::Failed)]
        {
            for findings in [
                Workload::from(&typed::<DaemonSet>(workload("w", desired, ready)))
                    .findings("w", None),
                Workload::from(&typed::<Deployment>(workload("w", desired, ready)))
                    .findings("w", None),
            ] {
                assert_eq!(findings[0].status, status, "{findings:?}");
            }
        }
    }
}
