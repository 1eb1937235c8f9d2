//! Causes in the status of a pod.

use std::fmt;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Pod, PodStatus};
use kube::ResourceExt;

use crate::device_plugin::{PROVISION_RESOURCE, ResourceProfile};

/// The cause why a pod is not ready.
pub(super) enum Cause {
    /// It is being deleted.
    Deleted,
    /// It has ended.
    Ended(String),
    /// No node fits.
    Unschedulable(String),
    /// A container cannot start.
    Waiting { reason: String, message: String },
    /// A container has exited. If it `waits` for a restart, kubectl calls that run the previous
    /// one.
    Exited { container: String, how: String, waits: bool },
    /// A container runs but is not ready.
    NotReady(String),
    /// All containers are ready but the pod is not: its node does not report.
    NodeLost,
    /// The status tells nothing.
    Unknown,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted => f.write_str("it is being deleted"),
            Self::Ended(message) | Self::Unschedulable(message) => f.write_str(message),
            Self::Waiting { reason, message, .. } if message.is_empty() => f.write_str(reason),
            Self::Waiting { reason, message, .. } => write!(f, "{reason}: {message}"),
            Self::Exited { container, how, .. } => write!(f, "the container {container} {how}"),
            Self::NotReady(container) => {
                write!(f, "the container {container} runs and is not ready")
            }
            Self::NodeLost => f.write_str("its containers run, but its node does not report"),
            Self::Unknown => f.write_str("its containers have not started yet"),
        }
    }
}

impl Cause {
    /// The cause for a pod that is not ready.
    pub(super) fn of(pod: &Pod) -> Self {
        if pod.metadata.deletion_timestamp.is_some() {
            return Self::Deleted;
        }
        pod.status.as_ref().and_then(of_status).unwrap_or(Self::Unknown)
    }

    /// True if it usually resolves itself.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Deleted | Self::Unknown)
    }

    /// The latest event that explains this cause; others are of earlier states.
    pub(super) fn latest<'e>(&self, events: &'e [Event]) -> Option<&'e str> {
        let tells = |event: &&Event| {
            let reason = event.reason.as_deref().unwrap_or_default();
            match self {
                Self::NotReady(_) => reason == "Unhealthy",
                Self::Unknown => reason.starts_with("Failed") && reason != "FailedScheduling",
                _ => false,
            }
        };
        let latest = events.iter().filter(tells).max_by_key(|event| {
            let micros = event.event_time.as_ref().map(|time| time.0);
            event.last_timestamp.as_ref().map(|time| time.0).max(micros)
        });
        latest?.message.as_deref()
    }

    pub(super) fn fix(&self, pod: &Pod) -> String {
        let namespace = pod.namespace().unwrap_or_default();
        let pod = pod.name_any();
        match self {
            Self::Unschedulable(message) => fix_of_unschedulable(message),
            Self::Waiting { reason, .. } if reason.contains("Image") => "check the image's name \
                 (quote-helper upgrade --image NAME); load it onto the node, or let the node pull it \
                 (--image-pull-secret, registry, proxy)"
                .to_owned(),
            Self::Exited { container, waits: true, .. } => {
                format!("kubectl logs -n {namespace} {pod} -c {container} --previous")
            }
            Self::Exited { container, .. } | Self::NotReady(container) => {
                format!("kubectl logs -n {namespace} {pod} -c {container}")
            }
            Self::NodeLost => "kubectl describe node".to_owned(),
            Self::Deleted | Self::Ended(_) | Self::Waiting { .. } | Self::Unknown => {
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
            "the device plugin offers {resource}: it is not ready on the node, the node has no \
             SGX, or other pods use all of it (kubectl describe node)"
        ),
        None if message.contains("PersistentVolumeClaim") => {
            "it has no volume yet: kubectl describe pvc shows the reason; without a default \
             StorageClass --pccs-storage gets none"
                .to_owned()
        }
        None => {
            "see kubectl describe node for taints, labels and free resources; --toleration and \
                 --node-selector choose the add-on's nodes"
                .to_owned()
        }
    }
}

fn of_status(status: &PodStatus) -> Option<Cause> {
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
    let mut unready = init.chain(containers).filter(|container| !container.ready).peekable();
    let is_known = status.container_statuses.as_ref().is_some_and(|it| !it.is_empty());
    match unready.peek() {
        None if is_known => Some(Cause::NodeLost),
        _ => unready.find_map(of_container),
    }
}

fn of_container(status: &ContainerStatus) -> Option<Cause> {
    let container = status.name.clone();
    let state = status.state.as_ref()?;
    if let Some(how) = exit(state) {
        return Some(Cause::Exited { container, how, waits: false });
    }
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.clone().unwrap_or_default();
        return match reason.as_str() {
            "CrashLoopBackOff" => {
                let before = status.last_state.as_ref().and_then(exit);
                let how = before.unwrap_or_else(|| "ends again and again".to_owned());
                Some(Cause::Exited { container, how, waits: true })
            }
            // Normal states of a starting container.
            "ContainerCreating" | "PodInitializing" | "" if waiting.message.is_none() => None,
            _ => {
                let message = waiting.message.clone().unwrap_or_default();
                Some(Cause::Waiting { reason, message })
            }
        };
    }
    state.running.as_ref().map(|_| Cause::NotReady(container))
}

/// The way in which a container has ended.
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
