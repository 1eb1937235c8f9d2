//! Why a pod is not ready, and what to do about it.

use std::fmt;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodStatus};
use kube::ResourceExt;

use crate::device_plugin::{PROVISION_RESOURCE, ResourceProfile};

/// A pod that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodProblem {
    /// Its name.
    pub pod: String,
    /// Its node, if it has one.
    pub node: Option<String>,
    /// Why it is not ready.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
    /// Whether it is so with every pod that has just been made.
    is_usual: bool,
}

/// For instance `sgx-plugin-x7f on node-2: ErrImagePull: not found`.
impl fmt::Display for PodProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n      -> {}", self.place(), self.reason, self.fix)
    }
}

impl PodProblem {
    /// Of this pod, or `None` if it is ready or about to end. `warning` is the latest event that tells of
    /// something wrong with the pod.
    pub(super) fn of(pod: &Pod, warning: Option<&str>) -> Option<Self> {
        if is_ready(pod) || pod.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let status = pod.status.clone().unwrap_or_default();
        let cause = cause(&status).unwrap_or(Cause::Unknown);
        let reason = match (&cause, warning) {
            (Cause::NotReady(_) | Cause::Unknown, Some(warning)) => format!("{cause}; {warning}"),
            _ => cause.to_string(),
        };
        Some(Self {
            pod: pod.name_any(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            fix: cause.fix(pod),
            is_usual: matches!(cause, Cause::Unknown) && warning.is_none(),
            reason,
        })
    }

    pub(super) fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// The pod and its node.
    pub(super) fn place(&self) -> String {
        match &self.node {
            Some(node) => format!("{} on {node}", self.pod),
            None => self.pod.clone(),
        }
    }
}

/// What keeps a pod from being ready.
enum Cause {
    /// It has ended, or was ended.
    Ended(String),
    /// There is no node for it.
    Unschedulable(String),
    /// A container cannot start: the reason's name, and what is said about it.
    Waiting { reason: String, message: String },
    /// A container has ended and will be started again.
    Exited { container: String, how: String },
    /// A container runs and does not say that it is ready.
    NotReady(String),
    /// Nothing is said.
    Unknown,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(message) | Self::Unschedulable(message) => f.write_str(message),
            Self::Waiting { reason, message, .. } if message.is_empty() => f.write_str(reason),
            Self::Waiting { reason, message, .. } => write!(f, "{reason}: {message}"),
            Self::Exited { container, how } => write!(f, "the container {container} {how}"),
            Self::NotReady(container) => {
                write!(f, "the container {container} runs and is not ready")
            }
            Self::Unknown => f.write_str("its containers have not started yet"),
        }
    }
}

impl Cause {
    fn fix(&self, pod: &Pod) -> String {
        let namespace = pod.namespace().unwrap_or_default();
        let pod = pod.name_any();
        match self {
            Self::Unschedulable(message) => fix_of_unschedulable(message),
            Self::Waiting { reason, .. } if reason.contains("Image") => "check --image; load the \
                 image onto the node, or let the node pull it (--image-pull-secret, registry, proxy)"
                .to_owned(),
            Self::Exited { container, .. } => {
                format!("kubectl logs -n {namespace} {pod} -c {container} --previous")
            }
            Self::NotReady(container) => format!("kubectl logs -n {namespace} {pod} -c {container}"),
            Self::Ended(_) | Self::Waiting { .. } | Self::Unknown => {
                format!("kubectl describe pod -n {namespace} {pod}")
            }
        }
    }
}

fn fix_of_unschedulable(message: &str) -> String {
    let mut resources = ResourceProfile::epc_resources().chain([PROVISION_RESOURCE]);
    let lacking = resources.find(|resource| message.contains(&format!("Insufficient {resource}")));
    match lacking {
        Some(resource) => format!(
            "{resource} is given out by the device plugin: it is not ready on the node, the node has no SGX, \
             or other pods have it all (kubectl describe node)"
        ),
        None => "see kubectl describe node for taints, labels and what is free; --toleration and \
                 --node-selector say where the add-on runs"
            .to_owned(),
    }
}

fn cause(status: &PodStatus) -> Option<Cause> {
    if status.phase.as_deref() == Some("Failed") {
        let reason = status.reason.as_deref().unwrap_or("Failed");
        let message = status.message.as_deref().unwrap_or("the pod has ended");
        return Some(Cause::Ended(format!("{reason}: {message}")));
    }
    let mut conditions = status.conditions.iter().flatten();
    let unscheduled = conditions.find(|it| it.type_ == "PodScheduled" && it.status == "False");
    if let Some(unscheduled) = unscheduled {
        let message = unscheduled.message.as_deref().unwrap_or("there is no node for it");
        return Some(Cause::Unschedulable(format!("Unschedulable: {message}")));
    }
    let init = status.init_container_statuses.iter().flatten();
    let init = init.filter(|container| !has_succeeded(container));
    let containers = status.container_statuses.iter().flatten();
    init.chain(containers).filter(|container| !container.ready).find_map(cause_of_container)
}

fn cause_of_container(status: &ContainerStatus) -> Option<Cause> {
    let container = status.name.clone();
    let last_state = status.last_state.as_ref();
    let before = last_state.and_then(exit);
    let state = status.state.as_ref()?;
    if let Some(how) = exit(state) {
        return Some(Cause::Exited { container, how });
    }
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.clone().unwrap_or_default();
        return match (reason.as_str(), before) {
            ("CrashLoopBackOff", Some(how)) => Some(Cause::Exited { container, how }),
            // The usual states on the way.
            ("ContainerCreating" | "PodInitializing" | "", _) if waiting.message.is_none() => None,
            _ => {
                let message = waiting.message.clone().unwrap_or_default();
                Some(Cause::Waiting { reason, message })
            }
        };
    }
    state.running.as_ref().map(|_| Cause::NotReady(container))
}

/// How a container has ended, if it has.
fn exit(state: &ContainerState) -> Option<String> {
    let ended = state.terminated.as_ref()?;
    let mut how = match ended.signal {
        Some(signal) => format!("was ended by signal {signal}"),
        None => format!("ended with exit code {}", ended.exit_code),
    };
    let said = [
        ended.reason.as_deref().filter(|it| !matches!(*it, "Error" | "Completed")),
        ended.message.as_deref(),
    ];
    for text in said.into_iter().flatten() {
        how = format!("{how}: {}", text.trim());
    }
    Some(how)
}

fn has_succeeded(container: &ContainerStatus) -> bool {
    let state = container.state.as_ref();
    let ended = state.and_then(|state| state.terminated.as_ref());
    ended.is_some_and(|ended| ended.exit_code == 0)
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

#[cfg(test)]
mod tests;
