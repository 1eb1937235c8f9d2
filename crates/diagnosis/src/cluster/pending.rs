//! Pods that ask for SGX and that no node takes: the reason, and the fix.

mod obstacle;
mod words;

use k8s_openapi::api::core::v1::{Node, Pod};
use kubernetes::device_plugin::{ENCLAVE_RESOURCE, PROVISION_RESOURCE};

use self::obstacle::Obstacle;
use super::NAMED;
use super::epc;
use super::facts::{Facts, name, pod_object};
use crate::finding::Finding;

const NAME: &str = "pending-pod";

/// The reason why no node takes a pod.
enum Cause<'a> {
    /// No node has the resource.
    UnknownResource(&'a str),
    /// Nodes have the resource, but nothing of it that pods can use.
    UnusableResource(&'a str),
    /// No node has so much of the resource; the node with most of it, and its quantity.
    TooLarge { resource: &'a str, node: &'a str, has: u64 },
    /// No node has all that the pod asks for.
    NoNodeHasAll,
    /// The nodes that have enough, and what keeps the pod from each.
    Obstacles(Vec<(&'a Node, Obstacle<'a>)>),
    /// Anything else, such as missing CPU, in the scheduler's words.
    Scheduler(&'a str),
}

/// A finding for each pod.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let (Ok(nodes), Ok(pods)) = (&facts.nodes, &facts.pods) else { return Vec::new() };
    let waiting =
        pods.iter().filter(|pod| pod.metadata.namespace.as_ref() != Some(&facts.namespace));
    let waiting = waiting.filter_map(|pod| Some((pod, refusal(pod)?)));
    let mut findings: Vec<_> =
        waiting.map(|(pod, refusal)| finding(pod, refusal, nodes, pods)).collect();
    let more = findings.len().saturating_sub(NAMED);
    if more > 0 {
        findings.truncate(NAMED);
        let fix = "fix the named ones first; they often share one template";
        findings.push(Finding::warning(NAME, format!("{more} more pods have no node"), fix));
    }
    findings
}

/// The scheduler's words about a pod with requests of SGX that it found no node for.
fn refusal(pod: &Pod) -> Option<&str> {
    let status = pod.status.as_ref()?;
    let is_waiting = status.phase.as_deref() == Some("Pending")
        && pod.metadata.deletion_timestamp.is_none()
        && !epc::all_requested(pod).is_empty();
    let mut conditions = status.conditions.iter().flatten();
    let unscheduled = conditions.find(|it| {
        let is_refused = it.reason.as_deref() == Some("Unschedulable");
        it.type_ == "PodScheduled" && it.status == "False" && is_refused
    });
    unscheduled.filter(|_| is_waiting).map(|it| it.message.as_deref().unwrap_or_default())
}

fn finding(pod: &Pod, refusal: &str, nodes: &[Node], pods: &[Pod]) -> Finding {
    let cause = cause(pod, refusal, nodes, pods);
    let (detail, fix, value) = words::of(&cause, pod, nodes);
    let waits = |obstacles: &[(&Node, Obstacle<'_>)]| {
        obstacles.iter().any(|(_, obstacle)| matches!(obstacle, Obstacle::Full { .. }))
    };
    let finding = match &cause {
        // It may start without a change.
        Cause::Scheduler(_) => Finding::warning(NAME, detail, fix),
        Cause::Obstacles(obstacles) if waits(obstacles) => Finding::warning(NAME, detail, fix),
        _ => Finding::failed(NAME, detail, fix),
    };
    finding.about(pod_object(pod)).with_value(value)
}

fn cause<'a>(pod: &'a Pod, refusal: &'a str, nodes: &'a [Node], pods: &'a [Pod]) -> Cause<'a> {
    let mut requested: Vec<_> = epc::all_requested(pod).into_iter().collect();
    // Admission adds device nodes for EPC, so that EPC is the author's request.
    requested
        .sort_by_key(|(resource, _)| [ENCLAVE_RESOURCE, PROVISION_RESOURCE].contains(resource));
    for (resource, quantity) in &requested {
        let offers =
            nodes.iter().filter_map(|node| Some((epc::allocatable(node, resource)?, node)));
        match offers.max_by_key(|(has, _)| *has) {
            None => return Cause::UnknownResource(resource),
            Some((0, _)) => return Cause::UnusableResource(resource),
            Some((has, node)) if has < *quantity => {
                return Cause::TooLarge { resource, node: name(&node.metadata), has };
            }
            Some(_) => {}
        }
    }
    let has_enough = |node: &&Node| {
        requested.iter().all(|(resource, quantity)| {
            epc::allocatable(node, resource).is_some_and(|has| has >= *quantity)
        })
    };
    let enough: Vec<_> = nodes.iter().filter(has_enough).collect();
    let obstacles = enough.iter().filter_map(|node| Some((*node, Obstacle::of(pod, node, pods)?)));
    let obstacles: Vec<_> = obstacles.collect();
    match (enough.is_empty(), obstacles.len() == enough.len()) {
        (true, _) => Cause::NoNodeHasAll,
        (false, true) => Cause::Obstacles(obstacles),
        (false, false) => Cause::Scheduler(refusal),
    }
}

#[cfg(test)]
mod tests;
